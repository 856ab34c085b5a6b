package lockstep.sync;

import java.nio.file.Path;
import java.util.Optional;
import lockstep.landscape.DataSet;

/**
 * The commands that messages suggest, with the options that were given to the command that prints them.
 *
 * @param landscape as it was given; empty when it was not
 */
public record NextCommand(String dataSet, boolean aws, Optional<Path> landscape) {
    /** @param command with its arguments, such as {@code approve SYNC-ID} */
    public String line(String command) {
        return "lockstep " + command + (aws ? " --aws" : "") + (dataSet.equals(DataSet.DEFAULT_NAME) ? "" : " --dataset " + dataSet) + landscape.map(file -> " --landscape " + quoted(file.toString())).orElse("");
    }

    /** How a sync that is held is answered. */
    public String answer(String syncId) {
        return line("approve " + syncId) + "   or   " + line("reject " + syncId);
    }

    private static String quoted(String text) {
        return text.matches("[\\w./~@%+=:,-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
    }
}
