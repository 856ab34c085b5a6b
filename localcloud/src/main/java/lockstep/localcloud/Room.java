package lockstep.localcloud;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Locale;
import java.util.OptionalLong;
import lockstep.landscape.Landscape;
import lockstep.project.UserFault;

/**
 * The memory and disk that a local cloud needs, in MB. Without enough memory, the kernel would end processes of the cloud in the middle of
 * a sync.
 */
record Room(long memory, long disk) {
    /** Measured by {@code bench/local/run}: the emulator; for each shard its application, its part of a database server and a function. */
    private static final long BASE = 1700;
    private static final long SHARD = 550;
    /** Tools, databases and logs. */
    private static final long DISK = 2000;
    private static final long SHARD_DISK = 200;

    static Room needed(Landscape landscape) {
        long shards = landscape.accounts().stream().mapToLong(account -> account.shards().size()).sum();
        return new Room(BASE + SHARD * shards, DISK + SHARD_DISK * shards);
    }

    /** @throws UserFault when this machine has less free memory, or the disk of the directory has less free space */
    void check(Path directory) {
        try {
            check(available(Files.readString(Path.of("/proc/meminfo"))), Files.getFileStore(directory).getUsableSpace() >> 20);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot find out how much memory and disk is free", e);
        }
    }

    /** @param freeMemory empty if the kernel does not say */
    void check(OptionalLong freeMemory, long freeDisk) {
        var missing = new ArrayList<String>();
        if (freeMemory.isPresent() && freeMemory.getAsLong() < memory)
            missing.add("%s of memory, but %s is free".formatted(gigabytes(memory), gigabytes(freeMemory.getAsLong())));
        if (freeDisk < disk) missing.add("%s of disk, but %s is free".formatted(gigabytes(disk), gigabytes(freeDisk)));
        if (!missing.isEmpty()) throw new UserFault("the local cloud of this landscape needs " + String.join(", and ", missing)
                + ". End other programs, delete files, or choose a landscape with fewer shards");
    }

    static OptionalLong available(String meminfo) {
        return meminfo.lines().filter(line -> line.startsWith("MemAvailable:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024).findFirst();
    }

    private static String gigabytes(long megabytes) {
        return String.format(Locale.ROOT, "%.1f GB", megabytes / 1024.0);
    }

    @Override
    public String toString() {
        return "%s of memory and %s of disk".formatted(gigabytes(memory), gigabytes(disk));
    }
}
