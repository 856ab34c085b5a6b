package lockstep.images;

import java.nio.file.Path;

/** Thrown when an image cannot be read from its context. The message names the file and the line. */
public final class ImageException extends RuntimeException {
    ImageException(Path file, int line, String message) {
        super(file + ":" + line + ": " + message);
    }
}
