package lockstep.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import lockstep.masterdata.engine.parts.PartStore;

/** A part store in a directory. It counts the bytes written, for the report. */
final class FileStore implements PartStore {
    final LongAdder written = new LongAdder();
    final LongAdder read = new LongAdder();
    private final Path directory;

    FileStore(Path directory) {
        this.directory = directory;
    }

    /** Writes atomically, like S3: readers see the whole object or none. */
    @Override
    public void put(String key, byte[] bytes, int length) {
        Path file = directory.resolve(key);
        try {
            Files.createDirectories(file.getParent());
            Path temporary = Files.createTempFile(file.getParent(), ".put", "");
            try (OutputStream out = Files.newOutputStream(temporary)) {
                out.write(bytes, 0, length);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            written.add(length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Optional<InputStream> open(String key) {
        Path file = directory.resolve(key);
        try {
            InputStream in = Files.newInputStream(file);
            read.add(Files.size(file));
            return Optional.of(in);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
