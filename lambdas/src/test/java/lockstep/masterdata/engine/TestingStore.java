package lockstep.masterdata.engine;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import lockstep.masterdata.engine.parts.PartStore;

/** An in-memory store whose objects a test can damage. */
final class TestingStore implements PartStore {
    final Map<String, byte[]> objects = new ConcurrentSkipListMap<>();
    final Map<String, Instant> times = new ConcurrentHashMap<>();
    /** The keys in the order in which they were written. */
    final List<String> puts = Collections.synchronizedList(new ArrayList<>());

    /** By default, no part is kept within the manifest, because tests damage parts in the store. */
    int inlineBelow;

    @Override
    public int inlineBelow() {
        return inlineBelow;
    }

    @Override
    public void put(String key, byte[] bytes, int length) {
        puts.add(key);
        times.put(key, Instant.now());
        objects.put(key, Arrays.copyOf(bytes, length));
    }

    @Override
    public Optional<InputStream> open(String key) {
        return Optional.ofNullable(objects.get(key)).map(ByteArrayInputStream::new);
    }
}
