package lockstep.masterdata.engine.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import lockstep.masterdata.engine.Fault;
import lockstep.masterdata.engine.parts.Causes;

/** Processes a list in parallel on several database connections. */
public final class Streams {
    public interface Begin {
        void with(Connection connection) throws SQLException;
    }

    public interface Step<T, R> {
        R apply(Connection connection, T item) throws SQLException;
    }

    private Streams() {}

    /** Applies the step to each item and returns the results in the list's order. After the first fault no further item is started. */
    public static <T, R> List<R> forEach(int streams, List<T> items, Database database, Begin begin, Step<T, R> step) {
        var next = new AtomicInteger();
        var results = new ArrayList<R>(java.util.Collections.nCopies(items.size(), null));
        Callable<Void> stream = () -> database.run(connection -> {
            try {
                begin.with(connection);
                for (int i; (i = next.getAndIncrement()) < items.size();) results.set(i, step.apply(connection, items.get(i)));
                return null;
            } catch (SQLException | RuntimeException e) {
                next.set(items.size());
                throw e;
            }
        });
        try (var executor = Executors.newFixedThreadPool(streams)) {
            var running = new ArrayList<Future<Void>>();
            for (int i = 0; i < Math.min(streams, items.size()); i++) running.add(executor.submit(stream));
            for (Future<Void> future : running) future.get();
            return results;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException fault) throw fault;
            throw new Fault.Unexpected(Causes.message(e), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Fault.Unexpected("interrupted", e);
        }
    }
}
