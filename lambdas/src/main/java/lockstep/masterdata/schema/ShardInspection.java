package lockstep.masterdata.schema;

import static lockstep.masterdata.schema.Identifiers.identifier;
import static lockstep.masterdata.schema.Identifiers.list;

import java.sql.Array;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.landscape.TableName;
import lockstep.landscape.Triggers;
import lockstep.masterdata.schema.Finding.Kind;
import lockstep.masterdata.schema.Finding.Severity;

/**
 * Inspects one database for a data set: describes its tables, and finds problems that do not depend on other databases, such as missing
 * grants, policies, triggers, rules, settings and the row filter. It changes nothing.
 */
public final class ShardInspection {
    private static final String PREPARE = "invoke prepare-database";
    private final Connection connection;
    private final DataSet dataSet;
    private final Catalogue catalogue;
    private final SchemaDescription description;
    private final List<Finding> findings = new ArrayList<>();

    private ShardInspection(Connection connection, DataSet dataSet) throws SQLException {
        this.connection = connection;
        this.dataSet = dataSet;
        this.catalogue = new Catalogue(connection, dataSet);
        this.description = catalogue.read();
    }

    /**
     * A database's description and its own findings.
     *
     * @param highest the highest values of numbered columns, by {@code table.column}; empty unless requested
     */
    public record Answer(SchemaDescription description, List<Finding> findings, Map<String, Long> highest) {
        public Answer {
            findings = List.copyOf(findings);
            highest = Map.copyOf(highest);
        }
    }

    /** The logins of a sync. The privileges of a login that is empty are not checked. */
    public record Logins(Optional<String> reader, Optional<String> writer) {
        List<Role> roles() {
            var roles = new ArrayList<Role>();
            reader.ifPresent(r -> roles.add(new Role("reader", r, false)));
            writer.ifPresent(w -> roles.add(new Role("writer", w, true)));
            return roles;
        }
    }

    /** @param title its name in messages, which is the same in every shard */
    private record Role(String title, String name, boolean writes) {}

    private record Policy(String name, String command, boolean permissive, String visible, String writable) {}

    private record Reference(String name, long child, String childName, long parent, boolean follows, List<String> childColumns,
            List<String> parentColumns) {}

    /** Describes the tables without looking for problems. */
    public static SchemaDescription describe(Connection connection, DataSet dataSet) throws SQLException {
        return new Catalogue(connection, dataSet).read();
    }

    /** Inspects a source. The connection is the reader's. */
    public static Answer ofSource(Connection connection, DataSet dataSet, Logins logins) throws SQLException {
        var inspection = new ShardInspection(connection, dataSet);
        inspection.grants(new Logins(logins.reader(), Optional.empty()).roles(), List.of());
        inspection.policies(new Logins(logins.reader(), Optional.empty()).roles(), List.of());
        inspection.filters();
        return new Answer(inspection.description.shared(dataSet), inspection.findings, Map.of());
    }

    /** Inspects a target. The connection is the reader's or the writer's. */
    public static Answer ofTarget(Connection connection, DataSet dataSet, Logins logins) throws SQLException {
        var inspection = new ShardInspection(connection, dataSet);
        if (inspection.database(logins)) {
            var references = inspection.references();
            inspection.grants(logins.roles(), references);
            inspection.policies(logins.roles(), references);
            inspection.filters();
            inspection.cascades(references);
        }
        inspection.triggers();
        inspection.rules();
        return new Answer(inspection.description, inspection.findings, Map.of());
    }

    /**
     * Adds the highest values of numbered columns: single integer keys, and NOT NULL integer columns with a default. Without an index this
     * reads the whole table.
     */
    public static Answer withHighest(Connection connection, DataSet dataSet, Answer answer) throws SQLException {
        var highest = new TreeMap<String, Long>();
        for (Table table : dataSet.tables()) {
            var found = answer.description().table(table.name());
            for (String column : table.columns()) {
                boolean counted = found.flatMap(t -> t.column(column))
                        .filter(c -> Set.of("smallint", "integer", "bigint").contains(c.type())
                                && (c.optional() && c.notNull() || table.key().equals(List.of(column))))
                        .isPresent();
                if (!counted) continue;
                execute(connection, "SAVEPOINT lockstep_highest");
                execute(connection, "SET LOCAL row_security = on");
                try (var statement = connection.createStatement();
                        var row = statement.executeQuery("SELECT max(" + identifier(column) + ") FROM " + table.name())) {
                    row.next();
                    long value = row.getLong(1);
                    if (!row.wasNull()) highest.put(table.name() + "." + column, value);
                } catch (SQLException e) {
                    // a missing grant or a policy, which is reported as another finding
                    execute(connection, "ROLLBACK TO SAVEPOINT lockstep_highest");
                }
            }
        }
        return new Answer(answer.description(), answer.findings(), highest);
    }

    /** @return whether the logins exist, so that their privileges can be checked */
    private boolean database(Logins logins) throws SQLException {
        var goesOn = new boolean[]{true};
        catalogue.query("database", List.of(logins.writer().orElse("")), row -> {
            boolean writerMissing = logins.writer().isPresent() && !row.getBoolean("writer_exists");
            if (!row.getBoolean("prepared") || writerMissing) {
                error("database",
                        "the database is not prepared for syncs: "
                                + (writerMissing ? "the sync's writer does not exist" : "schema lockstep and its tables do not exist"),
                        PREPARE);
                goesOn[0] = false;
            } else if (logins.writer().isPresent() && (!row.getBoolean("may_log_in") || row.getBoolean("expired"))) {
                error("database",
                        "the sync's writer is not allowed to log in" + (row.getBoolean("expired") ? ": its password has expired" : ""),
                        "ALTER ROLE " + identifier(logins.writer().get()) + " LOGIN VALID UNTIL 'infinity'");
            }
            if (row.getBoolean("replica")) error("database", "the server is a read-only replica: nothing can be written",
                    "make the shard's secrets name the primary server");
            // a reader with another setting is refused when it connects
            if (logins.writer().isPresent() && !row.getString("replication_role").equals("origin"))
                error("database",
                        "session_replication_role is " + row.getString("replication_role")
                                + " for the sync's writer: foreign keys would not be checked",
                        "ALTER ROLE " + identifier(logins.writer().orElse("")) + " IN DATABASE " + identifier(row.getString("database"))
                                + " SET session_replication_role = origin");
            if (!isOn(row.getString("track_counts")))
                warning("database", "track_counts is off: a sync cannot see which tables were written to, and reads all of them",
                        "ALTER DATABASE " + identifier(row.getString("database")) + " RESET track_counts");
        });
        if (goesOn[0] && logins.reader().isPresent() && logins.writer().isPresent())
            catalogue.query("state_privileges", List.of(logins.writer().get(), logins.reader().get()), row -> {
                if (row.getBoolean("writer_lacks") || row.getBoolean("reader_lacks"))
                    error("schema lockstep", "the sync's logins lack privileges on the tables of schema lockstep", PREPARE);
            });
        return goesOn[0];
    }

    private static boolean isOn(String setting) {
        return Set.of("on", "true", "yes", "1", "t", "y").contains(setting.toLowerCase(Locale.ROOT));
    }

    private List<Reference> references() throws SQLException {
        var references = new ArrayList<Reference>();
        catalogue.query("references", List.of(catalogue.oids(), catalogue.oids()),
                row -> references.add(new Reference(row.getString("name"), row.getLong("child"),
                        new TableName(row.getString("child_schema"), row.getString("child_name")).toString(), row.getLong("parent"),
                        row.getBoolean("follows"),
                        Catalogue.strings(row.getArray("child_columns")), Catalogue.strings(row.getArray("parent_columns")))));
        return references;
    }

    private void grants(List<Role> roles, List<Reference> references) throws SQLException {
        for (Role role : roles) {
            var to = " TO " + identifier(role.name());
            var compared = new ArrayList<>(catalogue.keyColumns());
            var relations = catalogue.oids();
            if (role.writes()) {
                compared = new ArrayList<>(with(references, true));
                relations = catalogue.oids(references.stream().map(Reference::child).toList());
            }
            var schemas = new ArrayList<Object>(List.of(compared.get(0), compared.get(1), both(relations), role.name()));
            catalogue.query("missing_schemas", schemas,
                    row -> error("schema " + identifier(row.getString("schema")),
                            "the sync's " + role.title() + " lacks USAGE on schema " + identifier(row.getString("schema"))
                                    + " (" + row.getString("reason") + ")",
                            "GRANT USAGE ON SCHEMA " + identifier(row.getString("schema")) + to));
            var missing = new LinkedHashMap<Long, List<String>>();
            var columns = catalogue.columnsOfDataSet();
            catalogue.query("missing_privileges",
                    List.of(columns.get(0), columns.get(1),
                            catalogue.text(role.writes() ? List.of("SELECT", "INSERT", "UPDATE") : List.of("SELECT")), role.name()),
                    row -> missing.computeIfAbsent(row.getLong("relation"), r -> new ArrayList<>())
                            .add(row.getString("privilege") + " (" + list(Catalogue.strings(row.getArray("columns"))) + ")"));
            if (role.writes()) catalogue.query("undeletable", List.of(catalogue.oids(), role.name()),
                    row -> missing.computeIfAbsent(row.getLong("relation"), r -> new ArrayList<>()).add("DELETE"));
            missing.forEach((relation, privileges) -> lacks(role, catalogue.name(relation), privileges));
            if (!role.writes()) continue;
            catalogue.query("missing_sequences", List.of(columns.get(0), columns.get(1), role.name(), role.name()), row -> {
                String sequence = new TableName(row.getString("schema"), row.getString("name")).toString();
                warning(catalogue.name(row.getLong("relation")), "the sync's writer lacks SELECT or UPDATE on sequence " + sequence,
                        "GRANT SELECT, UPDATE ON SEQUENCE " + sequence + to);
            });
            var referring = with(references, false);
            var names = new LinkedHashMap<Long, String>();
            references.forEach(r -> names.put(r.child(), r.childName()));
            catalogue.query("missing_privileges",
                    List.of(referring.get(0), referring.get(1), catalogue.text(List.of("SELECT")), role.name()),
                    row -> lacks(role, names.get(row.getLong("relation")),
                            List.of("SELECT (" + list(Catalogue.strings(row.getArray("columns"))) + ")")));
        }
    }

    /** Returns the relations of the data set together with these. */
    private Array both(Array others) throws SQLException {
        var all = new LinkedHashSet<Long>();
        for (Object oid : (Object[]) catalogue.oids().getArray()) all.add(((Number) oid).longValue());
        for (Object oid : (Object[]) others.getArray()) all.add(((Number) oid).longValue());
        return catalogue.oids(List.copyOf(all));
    }

    /** Returns the columns by which other tables refer to the data set, and the key columns if requested, as two parallel arrays. */
    private List<Array> with(List<Reference> references, boolean keys) throws SQLException {
        var relations = new ArrayList<Long>();
        var columns = new ArrayList<String>();
        if (keys) {
            var own = catalogue.keyColumns();
            for (Object oid : (Object[]) own.get(0).getArray()) relations.add(((Number) oid).longValue());
            columns.addAll(Catalogue.strings(own.get(1)));
        }
        for (Reference reference : references)
            for (String column : reference.childColumns()) {
                relations.add(reference.child());
                columns.add(column);
            }
        return List.of(catalogue.oids(relations), catalogue.text(columns));
    }

    private void lacks(Role role, String table, List<String> privileges) {
        error(table, "the sync's " + role.title() + " lacks " + String.join(", ", privileges) + " on " + table,
                "GRANT " + String.join(", ", privileges) + " ON " + table + " TO " + identifier(role.name()));
    }

    private void policies(List<Role> roles, List<Reference> references) throws SQLException {
        var names = new LinkedHashMap<Long, String>();
        description.tables().forEach(t -> names.put(catalogue.oid(t.name()), t.name()));
        var own = Set.copyOf(names.keySet());
        references.forEach(r -> names.putIfAbsent(r.child(), r.childName()));
        var taken = new HashSet<String>();
        catalogue.query("policy_names", List.of(catalogue.oids(List.copyOf(names.keySet()))),
                row -> taken.add(row.getLong("relation") + " " + row.getString("name")));
        var needs = new LinkedHashMap<Long, PolicyNeeds>();
        for (Role role : roles) {
            var policies = new LinkedHashMap<Long, List<Policy>>();
            var relations = names.keySet().stream().filter(r -> role.writes() || own.contains(r)).toList();
            catalogue.query("policies", List.of(role.name(), catalogue.oids(relations)), row -> {
                var known = policies.computeIfAbsent(row.getLong("relation"), r -> new ArrayList<>());
                if (row.getString("name") != null)
                    known.add(new Policy(row.getString("name"), row.getString("command"), row.getBoolean("permissive"),
                            row.getString("visible"), row.getString("writable")));
            });
            policies.forEach((relation, known) -> needs.computeIfAbsent(relation, r -> new PolicyNeeds())
                    .add(names.get(relation), role, known, role.writes() && own.contains(relation),
                            taken.contains(relation + " " + role.name())));
        }
        needs.forEach((relation, needed) -> {
            if (needed.titles.isEmpty()) return;
            String table = names.get(relation);
            boolean writes = needed.titles.contains("writer") && own.contains(relation);
            add(Finding.error(Kind.policy, table,
                    "row-level security may hide rows of " + table + " from the sync's " + String.join(" and ", needed.titles)
                            + (writes ? ", or prevent the writer from writing them" : "")
                            + (own.contains(relation) ? "" : ", which refer to master data"),
                    String.join("; ", needed.statements(table))));
        });
    }

    /** The policies that a table lacks for the sync's logins to see, and be allowed to write, every row. */
    private static final class PolicyNeeds {
        final List<String> titles = new ArrayList<>();
        private final List<String> created = new ArrayList<>();
        private final Map<Policy, List<String>> narrowed = new LinkedHashMap<>();

        void add(String table, Role role, List<Policy> policies, boolean writes, boolean nameTaken) {
            var commands = writes ? List.of("r", "a", "w", "d") : List.of("r");
            boolean allowed = commands.stream().allMatch(
                    command -> policies.stream().anyMatch(p -> p.permissive() && covers(p, command) && everyRow(p, command, role.name())));
            var narrowing = policies.stream()
                    .filter(p -> !p.permissive() && commands.stream().anyMatch(c -> covers(p, c) && !everyRow(p, c, role.name()))).toList();
            if (allowed && narrowing.isEmpty()) return;
            titles.add(role.title());
            narrowing.forEach(p -> narrowed.computeIfAbsent(p, n -> new ArrayList<>()).add(role.name()));
            if (allowed) return;
            String name = identifier(role.name());
            if (nameTaken) created.add("DROP POLICY " + name + " ON " + table);
            created.add("CREATE POLICY " + name + " ON " + table + (writes ? "" : " FOR SELECT") + " TO " + identifier(role.name())
                    + " USING (true)" + (writes ? " WITH CHECK (true)" : ""));
        }

        List<String> statements(String table) {
            var statements = new ArrayList<>(created);
            narrowed.forEach((policy, roles) -> statements.add("ALTER POLICY " + identifier(policy.name()) + " ON " + table
                    + clause(" USING ", policy.visible(), roles) + clause(" WITH CHECK ", policy.writable(), roles)));
            return statements;
        }

        private static String clause(String word, String expression, List<String> roles) {
            return expression == null ? "" : word + PolicyExpression.orCurrentUser(expression, roles);
        }
    }

    private static boolean covers(Policy policy, String command) {
        return policy.command().equals("*") || policy.command().equals(command);
    }

    private static boolean everyRow(Policy policy, String command, String role) {
        String writable = policy.writable() == null ? policy.visible() : policy.writable();
        return switch (command) {
            case "a" -> PolicyExpression.isTrue(writable, role);
            case "w" -> PolicyExpression.isTrue(policy.visible(), role) && PolicyExpression.isTrue(writable, role);
            default -> PolicyExpression.isTrue(policy.visible(), role);
        };
    }

    private void filters() throws SQLException {
        for (Table table : dataSet.tables()) {
            var found = description.table(table.name());
            boolean readable = found
                    .filter(t -> t.kind().equals("table") && table.columns().stream().allMatch(c -> t.column(c).isPresent())).isPresent()
                    && findings.stream().noneMatch(f -> f.severity() == Severity.error && f.place().equals(table.name()));
            if (table.where().isEmpty() || !readable) continue;
            execute(connection, "SAVEPOINT lockstep_filter");
            try {
                execute(connection, "SET LOCAL search_path = pg_catalog");
                // a policy that hides rows is reported as another finding
                execute(connection, "SET LOCAL row_security = on");
                execute(connection, "SELECT FROM " + table.name() + " t WHERE (" + table.where().get() + ") LIMIT 0");
            } catch (SQLException e) {
                add(Finding.error(Kind.schema, table.name(),
                        "`where` of " + table.name() + " can't be evaluated: "
                                + e.getMessage().lines().findFirst().orElse("").replaceFirst("^ERROR: ", ""),
                        "write functions, operators and types in `where` with their schemas: it runs with search_path = pg_catalog"));
            } finally {
                execute(connection, "ROLLBACK TO SAVEPOINT lockstep_filter");
            }
        }
    }

    private void cascades(List<Reference> references) {
        for (Reference reference : references) {
            if (!reference.follows()) continue;
            var table = dataSet.tables().stream().filter(t -> t.name().equals(catalogue.name(reference.parent()))).findFirst()
                    .orElseThrow();
            var followed = reference.parentColumns().stream().filter(c -> table.columns().contains(c) && !table.key().contains(c)).toList();
            if (!followed.isEmpty())
                add(Finding.warning(Kind.schema, reference.childName(),
                        "foreign key " + identifier(reference.name()) + " of " + reference.childName() + " follows changes of "
                                + table.name() + " (" + list(followed)
                                + "): a sync that changes these changes rows of " + reference.childName(),
                        "make it refer to the key (" + list(table.key()) + "), or give it ON UPDATE NO ACTION"));
        }
    }

    private void triggers() throws SQLException {
        if (dataSet.triggers() == Triggers.DISABLE) return;
        String line = "add the line `triggers: disable` to data set '" + dataSet.name() + "' in lockstep.yaml, then " + PREPARE;
        catalogue.query("triggers", List.of(catalogue.oids()), row -> {
            String table = catalogue.name(row.getLong("relation"));
            String trigger = "trigger " + identifier(row.getString("name")) + " of " + table;
            if (dataSet.triggers() == Triggers.REFUSE) {
                add(Finding.error(Kind.schema, table, trigger + " would fire, and data set '" + dataSet.name() + "' has triggers: refuse",
                        "ALTER TABLE " + table + " DISABLE TRIGGER " + identifier(row.getString("name"))
                                + ", or change `triggers` in lockstep.yaml"));
                return;
            }
            var columns = dataSet.tables().stream().filter(t -> t.name().equals(table)).findFirst().orElseThrow().columns();
            var only = Catalogue.strings(row.getArray("of_columns"));
            boolean fires = row.getBoolean("may_change_rows")
                    && (row.getBoolean("inserts") || only.isEmpty() || only.stream().anyMatch(columns::contains));
            if (fires) trigger(table, trigger, columns, row.getString("language"), row.getString("function"), row.getString("source"),
                    Optional.ofNullable(row.getString("condition")), row.getString("arguments"), line);
        });
    }

    private void trigger(String table, String trigger, List<String> columns, String language, String function, String source,
            Optional<String> condition, String arguments, String remedy) {
        Map<String, Boolean> assigned;
        boolean drops = false;
        switch (language) {
            case "plpgsql" -> {
                assigned = TriggerSource.assigned(source);
                drops = TriggerSource.mayDropRows(source);
            }
            case "c", "internal" -> {
                String first = arguments.split("\\\\000", 2)[0];
                assigned = switch (function) {
                    case "moddatetime", "insert_username" -> Map.of(first, true);
                    case "autoinc", "tsvector_update_trigger", "tsvector_update_trigger_column" -> Map.of(first, false);
                    case "suppress_redundant_updates_trigger", "check_primary_key", "check_foreign_key", "lo_manage" -> Map.of();
                    default -> Map.of(TriggerSource.ROW, false);
                };
            }
            default -> assigned = Map.of(TriggerSource.ROW, false);
        }
        boolean always = condition.isEmpty() || TriggerSource.isAlways(condition.get());
        var certain = columns.stream()
                .filter(c -> always && (assigned.getOrDefault(c, false) || assigned.getOrDefault(TriggerSource.ROW, false))).toList();
        if (!certain.isEmpty()) {
            add(Finding.error(Kind.trigger, table + "." + identifier(certain.getFirst()),
                    trigger + " sets " + list(certain) + " whenever a row is written: the rows of a sync would differ from the source's",
                    remedy));
            return;
        }
        var possible = columns.stream().filter(assigned::containsKey).toList();
        if (!possible.isEmpty()) add(Finding.warning(Kind.trigger, table + "." + identifier(possible.getFirst()),
                trigger + " may set " + list(possible) + ": a sync fails if its rows then differ from the source's", remedy));
        else if (assigned.containsKey(TriggerSource.ROW)) add(Finding.warning(Kind.trigger, table,
                trigger + " may change rows: a sync fails if its rows then differ from the source's", remedy));
        else if (drops)
            add(Finding.warning(Kind.trigger, table, trigger + " may drop rows (RETURN NULL): a sync fails if it does", remedy));
    }

    private void rules() throws SQLException {
        catalogue.query("rules", List.of(catalogue.oids()), row -> {
            String table = catalogue.name(row.getLong("relation"));
            add(Finding.error(Kind.schema, table,
                    "rule " + identifier(row.getString("name")) + " rewrites what is written to " + table + ": a sync can't write there",
                    "ALTER TABLE " + table + " DISABLE RULE " + identifier(row.getString("name")) + ", or use a trigger instead"));
        });
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private void error(String place, String what, String remedy) {
        add(Finding.error(Kind.access, place, what, remedy));
    }

    private void warning(String place, String what, String remedy) {
        add(Finding.warning(Kind.access, place, what, remedy));
    }

    private void add(Finding finding) {
        findings.add(finding);
    }
}
