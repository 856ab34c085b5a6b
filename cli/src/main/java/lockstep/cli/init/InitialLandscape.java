package lockstep.cli.init;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import lockstep.landscape.LandscapeException;
import lockstep.landscape.LandscapeReader;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;

/**
 * The files that {@code lockstep init} writes: the landscape, and beside it the schema of its data set, and the password if it was in no
 * file.
 *
 * @param passwordFile given by the user
 */
public record InitialLandscape(Path file, Optional<Path> passwordFile) {
    /** @param password to be kept; empty if the user gave a file or the local cloud does not need it */
    public record Content(String landscape, String schema, Optional<String> password, List<String> tables) {}

    private Path schema() {
        return file.resolveSibling("schema.sql");
    }

    private Path ownPassword() {
        return file.resolveSibling("source.password");
    }

    /** The first file that would be replaced. */
    public Optional<Path> existing() {
        return Stream.of(file, schema()).filter(Files::exists).findFirst();
    }

    /**
     * Reads the source and proposes a landscape that {@link LandscapeReader} accepts.
     *
     * @param prompt  asks for the password
     * @param answers values of the template, as given by the user
     * @throws IllegalArgumentException if an answer is wrong
     */
    public Content propose(SourceAddress source, Supplier<String> prompt, Map<String, String> answers) {
        String password = passwordFile.map(InitialLandscape::read).or(source::rememberedPassword).orElseGet(prompt);
        try (var connection = source.connect(password)) {
            var proposal = Proposal.of(Source.read(connection), table -> Source.emails(connection, table));
            if (proposal.chosen().isEmpty()) throw new UserFault("no table of " + source + " looks like master data:\n"
                    + proposal.rejected()
                            .entrySet().stream().map(table -> "  " + table.getKey().fullName() + ": " + table.getValue())
                            .collect(Collectors.joining("\n")));
            var content = new Content(LandscapeText.landscape(source, local(source), answers, proposal),
                    LandscapeText.schema(proposal), Optional.of(password).filter(_ -> source.isLocal() && passwordFile.isEmpty()),
                    proposal.chosen().stream().map(choice -> choice.table().fullName().toString()).toList());
            check(content);
            return content;
        } catch (SQLException e) {
            throw new UserFault("cannot read " + source + ": " + e.getMessage(), e);
        }
    }

    /** The line with the database that takes the source's place in the local cloud: itself, if it is on this machine. */
    String local(SourceAddress source) {
        if (!source.isLocal()) return "localSchema: schema.sql";
        var directory = file.toAbsolutePath().getParent();
        var ca = source.authority().map(path -> ", ca: " + LandscapeText.scalar(path.toAbsolutePath().normalize().toString())).orElse("");
        var kept = passwordFile.orElseGet(this::ownPassword).toAbsolutePath().normalize();
        return "local: {url: \"postgresql://" + source.user() + "@" + source.host() + ":" + source.port() + "/" + source.database()
                + "\", passwordFile: " + LandscapeText.scalar(directory.relativize(kept).toString()) + ca + "}";
    }

    private static void check(Content content) {
        try {
            Path directory = Files.createTempDirectory("lockstep-init");
            try {
                LandscapeReader.read(Files.writeString(directory.resolve("lockstep.yaml"), content.landscape()));
            } finally {
                ProjectFiles.deleteTree(directory);
            }
        } catch (LandscapeException e) {
            throw new IllegalArgumentException(e.problems().stream()
                    .map(problem -> problem.path() + ": " + problem.message() + "; " + problem.fix()).collect(Collectors.joining("\n")), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public void write(Content content) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            content.password().ifPresent(password -> ProjectFiles.writePrivately(ownPassword(), password.getBytes(StandardCharsets.UTF_8)));
            Files.writeString(schema(), content.schema());
            Files.writeString(file, content.landscape());
        } catch (IOException e) {
            throw new UserFault("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    private static String read(Path passwordFile) {
        try {
            return Files.readString(passwordFile).strip();
        } catch (IOException e) {
            throw new UserFault("cannot read the password from " + passwordFile + ": " + e, e);
        }
    }
}
