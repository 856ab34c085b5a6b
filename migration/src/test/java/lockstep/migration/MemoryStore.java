package lockstep.migration;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import lockstep.masterdata.engine.parts.PartStore;

/** A store whose objects a test can damage. */
public final class MemoryStore implements PartStore {
    public final Map<String, byte[]> objects = new ConcurrentHashMap<>();

    @Override
    public void put(String key, byte[] bytes, int length) {
        objects.put(key, Arrays.copyOf(bytes, length));
    }

    @Override
    public Optional<InputStream> open(String key) {
        return Optional.ofNullable(objects.get(key)).map(ByteArrayInputStream::new);
    }

    @Override
    public int inlineBelow() {
        return 0;
    }
}
