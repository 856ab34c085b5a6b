package lockstep.cli.init;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lockstep.cli.init.Proposal.Choice;
import lockstep.cli.init.Source.Column;
import lockstep.cli.init.Source.Table;

/** A proposal as text: the tables of lockstep.yaml, and the SQL file that creates them. */
final class LandscapeText {
    private static final int NAMED = 3;

    private LandscapeText() {}

    /** @param local the line with the database that takes the source's place in the local cloud */
    static String landscape(SourceAddress source, String local, Map<String, String> answers, Proposal proposal) {
        var values = new HashMap<>(answers);
        values.putAll(Map.of("database", printable(source.toString()), "host", source.isLocal() ? "source.database.example" : source.host(),
                "port", String.valueOf(source.port()), "name", scalar(source.database()), "local", local, "explained",
                source.isLocal() ? "the source itself, in which Lockstep creates logins and the schema lockstep."
                        : "an empty database with the tables below, because the source is not on this machine.",
                "tables", tables(proposal)));
        return Pattern.compile("@([a-z]+)@").matcher(Source.resource("lockstep.yaml")).replaceAll(
                name -> Matcher.quoteReplacement(values.get(name.group(1))));
    }

    private static String tables(Proposal proposal) {
        var text = new StringBuilder();
        for (Choice choice : proposal.chosen()) {
            text.append("# About %,d rows%s; %s.%n".formatted(choice.table().rows(),
                    choice.writesPerDay() == 0 ? ", hardly ever written" : ", %,d written a day".formatted(choice.writesPerDay()),
                    choice.referredBy().isEmpty() ? "it belongs to the tables that it refers to"
                            : "referred to by " + names(choice.referredBy())));
            choice.leftOut().forEach((column, reason) -> text.append("# Left out: %s %s.%n".formatted(printable(column), reason)));
            text.append("%s:%n  key: [%s]%n  columns: [%s]%n%n".formatted(scalar(choice.table().fullName().toString()),
                    choice.table().key().stream().map(LandscapeText::scalar).collect(Collectors.joining(", ")),
                    choice.columns().stream().map(column -> scalar(column.name())).collect(Collectors.joining(", "))));
        }
        if (!proposal.rejected().isEmpty()) text.append("# Not proposed:\n");
        proposal.rejected().forEach((table, reason) -> text.append("# - %s: %s.%n".formatted(table.fullName(), printable(reason))));
        return text.toString().stripTrailing().indent(6).replaceAll("(?m)^ +$", "").stripTrailing();
    }

    private static String names(List<Table> tables) {
        String names = tables.stream().limit(NAMED).map(table -> table.fullName().toString()).collect(Collectors.joining(", "));
        return tables.size() > NAMED ? names + " and %,d more".formatted(tables.size() - NAMED) : names;
    }

    private static String printable(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }

    /** Quotes what YAML or its readers could take for something else than text. */
    static String scalar(String text) {
        return text.matches("[a-z_][a-z0-9_]*(\\.[a-z_][a-z0-9_]*)?") && !text.matches("true|false|null|yes|no|on|off|y|n") ? text
                : "'" + text.replace("'", "''") + "'";
    }

    /** Returns statements that create the tables with the columns of the data set, their types, keys, and references to each other. */
    static String schema(Proposal proposal) {
        var schemas = new LinkedHashSet<String>();
        var types = new LinkedHashSet<String>();
        var tables = new LinkedHashSet<String>();
        var references = new LinkedHashSet<String>();
        var chosen = proposal.chosen().stream().collect(Collectors.toMap(choice -> choice.table().oid(), choice -> choice));
        for (Choice choice : proposal.chosen()) {
            var table = choice.table();
            schemas.add(table.createSchema());
            choice.columns().forEach(column -> types.addAll(column.creates()));
            tables.add(choice.columns().stream()
                    .map(column -> "\n    " + column.sql() + " " + column.type() + (column.notNull() ? " NOT NULL" : ""))
                    .collect(Collectors.joining(",", "CREATE TABLE " + table.sql() + " (", "\n)")));
            for (var constraint : table.constraints()) {
                if (!numbers(choice).containsAll(constraint.columns())) continue;
                String statement = "ALTER TABLE " + table.sql() + " ADD " + constraint.sql();
                if (!constraint.kind().equals("f")) tables.add(statement);
                else if (chosen.containsKey(constraint.refersTo())
                        && numbers(chosen.get(constraint.refersTo())).containsAll(constraint.referredColumns()))
                    references.add(statement);
            }
        }
        return List.of(schemas, types, tables, references).stream().flatMap(Set::stream).map(statement -> statement + ";\n")
                .collect(Collectors.joining("",
                        "-- The tables of the data set, for databases of the local cloud. Written by `lockstep init`.\n", ""));
    }

    private static Set<Integer> numbers(Choice choice) {
        return choice.columns().stream().map(Column::number).collect(Collectors.toSet());
    }
}
