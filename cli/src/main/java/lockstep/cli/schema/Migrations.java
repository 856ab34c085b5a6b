package lockstep.cli.schema;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Pattern;
import lockstep.project.UserFault;
import org.postgresql.core.Parser;

/**
 * The Flyway migrations of a release, such as {@code V5__what.sql}, ordered by number.
 *
 * @param files the content by file name
 */
public record Migrations(SequencedMap<String, String> files) {
    /** @param end the offset in the file after the statement and its semicolon */
    record Statement(String file, int line, String sql, int end) {
        /** Returns the statement shortened to one line. */
        String shortened() {
            String text = sql.replaceAll("\\s+", " ");
            return text.length() <= 120 ? text : text.substring(0, 119) + "…";
        }
    }

    /** Statements that do not change the schema. */
    private static final Pattern SETTING = Pattern.compile("(?is)(SET|RESET)\\s.*");
    private static final Pattern NAME = Pattern.compile("V(\\d+)__\\w+\\.sql");

    static Migrations in(Path directory) {
        if (!Files.isDirectory(directory)) {
            throw new UserFault("no migrations: there is no directory " + directory);
        }
        try (var listed = Files.list(directory)) {
            var files = new LinkedHashMap<String, String>();
            for (Path file : listed.sorted(Comparator.comparing(file -> number(file.getFileName().toString()))).toList()) {
                files.put(file.getFileName().toString(), Files.readString(file));
            }
            if (files.isEmpty()) {
                throw new UserFault("no migrations in " + directory);
            }
            return new Migrations(files);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + directory, e);
        }
    }

    static int number(String name) {
        var matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            throw new UserFault("'" + name + "' is not a migration: expected a name such as V5__what_it_does.sql");
        }
        return Integer.parseInt(matcher.group(1));
    }

    /** Returns the migrations that an older release does not have. */
    Migrations since(Migrations older) {
        var added = new LinkedHashMap<>(files);
        added.keySet().removeAll(older.files.keySet());
        return new Migrations(added);
    }

    /** Returns the statements that can change the schema. */
    List<Statement> statements() {
        return files.entrySet().stream().flatMap(file -> statements(file.getKey(), file.getValue()).stream()).toList();
    }

    /** Splits a file into statements with the parser of the JDBC driver, which handles strings, dollar quotes and comments. */
    private static List<Statement> statements(String file, String text) {
        var statements = new ArrayList<Statement>();
        int from = 0;
        try {
            for (var query : Parser.parseJdbcSql(text, true, false, true, false, false)) {
                int begin = text.indexOf(query.nativeSql, from);
                int end = begin + query.nativeSql.length();
                int semicolon = text.indexOf(';', end);
                from = semicolon >= 0 && text.substring(end, semicolon).isBlank() ? semicolon + 1 : end;
                int words = begin + query.nativeSql.length() - withoutLeadingComments(query.nativeSql).length();
                if (words < end && !SETTING.matcher(text.substring(words, end)).matches()) {
                    statements.add(new Statement(file, 1 + (int) text.substring(0, words).chars().filter(c -> c == '\n').count(),
                            text.substring(words, end).strip(), from));
                }
            }
        } catch (SQLException e) {
            throw new UserFault(file + " cannot be read as SQL: " + e.getMessage(), e);
        }
        return statements;
    }

    private static String withoutLeadingComments(String sql) {
        return sql.replaceFirst("(?s)^(\\s+|--[^\\n]*(\\n|$)|/\\*.*?\\*/)+", "");
    }

    /** Replaces the contents of a directory with these migrations and the first {@code count} statements of the added ones. */
    void write(Path directory, Migrations added, int count) {
        try {
            Files.createDirectories(directory);
            try (var old = Files.list(directory)) {
                for (Path file : old.toList()) Files.delete(file);
            }
            for (var file : files.entrySet()) Files.writeString(directory.resolve(file.getKey()), file.getValue());
            Map<String, Integer> ends = new LinkedHashMap<>();
            added.statements().stream().limit(count).forEach(statement -> ends.put(statement.file(), statement.end()));
            for (var file : ends.entrySet())
                Files.writeString(directory.resolve(file.getKey()), added.files.get(file.getKey()).substring(0, file.getValue()) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + directory, e);
        }
    }

}
