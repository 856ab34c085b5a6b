package lockstep.localcloud;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import lockstep.project.Progress;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;

/** Stops exactly the processes that {@code up} started, which it identifies by more than their pid. */
public final class Down {
    private final ProjectFiles files;
    private final Progress progress;
    private final CloudState.Store store;
    private final Emulator emulator;

    public Down(ProjectFiles files, Progress progress) {
        this.files = files;
        this.progress = progress;
        this.store = new CloudState.Store(files);
        this.emulator = new Emulator(files, store, "");
    }

    /** @param deleted the directory to delete; empty unless requested */
    public record Plan(List<Running> processes, Optional<Path> deleted) {
        public record Running(String what, long pid) {}
    }

    public Plan plan(boolean purge) {
        var processes = new ArrayList<Plan.Running>();
        store.read().emulator().ifPresent(known -> emulator.members(known).forEach(process -> processes.add(new Plan.Running(
                process.pid() == known.process().pid() ? "emulator" : "function", process.pid()))));
        store.read().tasks().forEach((task, state) -> state.containers().forEach(container -> LocalTask.members(files, container)
                .forEach(process -> processes.add(new Plan.Running(container.name() + " of " + task, process.pid())))));
        servers().forEach(account -> new PostgresServer(files, store, account).running()
                .ifPresent(process -> processes.add(new Plan.Running("PostgreSQL of " + account, process.pid()))));
        return new Plan(processes, purge && Files.exists(files.home()) ? Optional.of(files.home()) : Optional.empty());
    }

    public void run(Plan plan) {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            store.read().tasks().keySet()
                    .forEach(task -> executor.execute(() -> progress.step(task + " ended", () -> LocalTask.stop(files, store, task))));
        }
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            executor.execute(() -> progress.step("emulator and functions ended", emulator::stop));
            servers().forEach(account -> executor.execute(
                    () -> progress.step("PostgreSQL of " + account + " ended", () -> new PostgresServer(files, store, account).stop())));
        }
        var left = plan(false).processes();
        if (!left.isEmpty()) {
            throw new UserFault("still running: " + left);
        }
        plan.deleted().ifPresent(home -> progress.step(home + " deleted", () -> ProjectFiles.deleteTree(home)));
    }

    /** Returns the accounts with a server, from the directories, because the landscape may no longer contain an account. */
    private List<String> servers() {
        Path databases = files.database("any").getParent();
        if (!Files.exists(databases)) {
            return List.of();
        }
        try (var directories = Files.list(databases)) {
            return directories.filter(Files::isDirectory).map(path -> path.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
