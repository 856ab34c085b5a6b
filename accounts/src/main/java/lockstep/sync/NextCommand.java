package lockstep.sync;

import java.nio.file.Path;
import java.util.Optional;
import lockstep.landscape.DataSet;

/**
 * Formats the commands that messages suggest, with the options of the command that prints them.
 *
 * @param landscape the given landscape file; empty if none was given
 */
public record NextCommand(String dataSet, boolean aws, Optional<Path> landscape) {
    /** @param command the command with its arguments, such as {@code approve SYNC-ID} */
    public String line(String command) {
        return "lockstep " + command + (aws ? " --aws" : "") + (dataSet.equals(DataSet.DEFAULT_NAME) ? "" : " --dataset " + dataSet)
                + landscape.map(file -> " --landscape " + quoted(file.toString())).orElse("");
    }

    /** Returns the commands that answer a held sync. */
    public String answer(String syncId) {
        return line("approve " + syncId) + "   or   " + line("reject " + syncId);
    }

    private static String quoted(String text) {
        return text.matches("[\\w./~@%+=:,-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
    }
}
