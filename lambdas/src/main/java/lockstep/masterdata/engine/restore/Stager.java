package lockstep.masterdata.engine.restore;

import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Packed;
import lockstep.masterdata.engine.parts.PartStore;
import lockstep.masterdata.engine.postgres.Database;
import lockstep.masterdata.engine.postgres.Streams;
import lockstep.masterdata.engine.restore.Preflight.PartRange;

/** Copies a batch of parts into a target's staging tables, several in parallel. */
public final class Stager {
    /** How many names fit into a session policy of 2,048 characters. STS also limits its packed size, by a rule that it does not tell. */
    private static final int OBJECTS_IN_SESSION = 12;
    private final Database target;
    private final int streams;

    public Stager(Database target, int streams) {
        this.target = target;
        this.streams = streams;
    }

    /**
     * Stages the batch.
     *
     * @param storeOf opens a store that reads exactly these objects; it is called by several threads, and with half of the objects after
     *                {@link Fault.PolicyTooLarge}
     * @return the number of parts in the batch
     */
    public int stage(String dataSet, String syncId, PartRange batch, Function<List<String>, PartStore> storeOf) {
        var accepted = target.run(connection -> Accepted.read(connection, dataSet, syncId));
        var staging = new Staging(accepted);
        var parts = accepted.pieces();
        if (batch.from() < 0 || batch.from() > batch.until() || batch.until() > parts.size())
            throw new Fault.InvalidRequest("parts " + batch + " are not among the " + parts.size() + " parts to stage");
        var numbers = IntStream.range(batch.from(), batch.until()).boxed().toList();
        var stored = numbers.stream().filter(n -> !Packed.isInline(parts.get(n).object())).toList();
        var sessions = new HashMap<Integer, List<String>>();
        for (int i = 0; i < stored.size(); i += OBJECTS_IN_SESSION) {
            var together = stored.subList(i, Math.min(i + OBJECTS_IN_SESSION, stored.size()));
            var objects = together.stream().map(n -> parts.get(n).object()).toList();
            together.forEach(n -> sessions.put(n, objects));
        }
        var stores = new Stores(storeOf);
        Streams.forEach(streams, numbers, target, connection -> connection.setAutoCommit(false), (connection, number) -> {
            Function<String, Optional<InputStream>> store = object -> stores.of(sessions.get(number), object).open(object);
            staging.stage(connection, store, number, parts.get(number));
            connection.commit();
            return number;
        });
        return numbers.size();
    }

    /** The open stores by their objects. */
    private static final class Stores {
        private final Function<List<String>, PartStore> storeOf;
        private final Map<List<String>, PartStore> opened = new ConcurrentHashMap<>();
        private final Set<List<String>> tooLarge = ConcurrentHashMap.newKeySet();

        Stores(Function<List<String>, PartStore> storeOf) {
            this.storeOf = storeOf;
        }

        PartStore of(List<String> objects, String wanted) {
            if (!tooLarge.contains(objects)) {
                try {
                    return opened.computeIfAbsent(objects, storeOf);
                } catch (Fault.PolicyTooLarge e) {
                    if (objects.size() == 1) throw e;
                    tooLarge.add(objects);
                }
            }
            int half = objects.size() / 2;
            var first = objects.subList(0, half);
            return of(first.contains(wanted) ? first : objects.subList(half, objects.size()), wanted);
        }
    }
}
