package lockstep.masterdata.schema;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lockstep.landscape.DataSet;
import lockstep.landscape.Table;
import lockstep.landscape.TableName;
import lockstep.masterdata.schema.SchemaDescription.CollationDescription;
import lockstep.masterdata.schema.SchemaDescription.ColumnDescription;
import lockstep.masterdata.schema.SchemaDescription.Constraint;
import lockstep.masterdata.schema.SchemaDescription.ForeignKey;
import lockstep.masterdata.schema.SchemaDescription.Sequence;
import lockstep.masterdata.schema.SchemaDescription.TableDescription;
import lockstep.masterdata.schema.SchemaDescription.TypeDescription;
import lockstep.masterdata.schema.SchemaDescription.UniqueIndex;

/**
 * Reads a data set's tables from the catalogue of one database. Each query reads all tables at once, so that the time does not grow with
 * their number. The connection must have {@code search_path = pg_catalog}; no privilege on the tables is needed.
 */
final class Catalogue {
    private final Connection connection;
    private final DataSet dataSet;
    /** The OIDs of the existing tables by name. */
    private final Map<String, Long> oids = new LinkedHashMap<>();
    private final Map<Long, String> names = new LinkedHashMap<>();

    Catalogue(Connection connection, DataSet dataSet) {
        this.connection = connection;
        this.dataSet = dataSet;
    }

    interface RowReader {
        void read(ResultSet row) throws SQLException;
    }

    private static final class Draft {
        String kind;
        boolean parent;
        boolean unlogged;
        final List<ColumnDescription> columns = new ArrayList<>();
        final List<UniqueIndex> uniqueIndexes = new ArrayList<>();
        final List<Constraint> constraints = new ArrayList<>();
        final List<ForeignKey> foreignKeys = new ArrayList<>();
        final List<Sequence> sequences = new ArrayList<>();
    }

    SchemaDescription read() throws SQLException {
        var drafts = new LinkedHashMap<Long, Draft>();
        var wanted = dataSet.tables().stream().map(t -> TableName.parse(t.name())).toList();
        query("tables",
                List.of(text(wanted.stream().map(TableName::schema).toList()), text(wanted.stream().map(TableName::table).toList())),
                row -> {
                    String name = dataSet.tables().get(row.getInt("n") - 1).name();
                    oids.put(name, row.getLong("oid"));
                    names.put(row.getLong("oid"), name);
                    var draft = new Draft();
                    draft.kind = row.getString("kind");
                    draft.parent = row.getBoolean("parent");
                    draft.unlogged = row.getBoolean("unlogged");
                    drafts.put(row.getLong("oid"), draft);
                });
        query("columns", List.of(oids()),
                row -> drafts.get(row.getLong("relation")).columns
                        .add(new ColumnDescription(row.getString("name"), row.getString("type"), row.getBoolean("not_null"),
                                row.getBoolean("generated"), row.getBoolean("optional"),
                                Optional.ofNullable(row.getString("collation")).map(c -> collation(row, c)))));
        query("unique_indexes", List.of(oids()),
                row -> drafts.get(row.getLong("relation")).uniqueIndexes.add(new UniqueIndex(row.getString("name"),
                        strings(row.getArray("columns")),
                        strings(row.getArray("collations")), Optional.ofNullable(row.getString("partial")), row.getBoolean("usable"))));
        query("constraints", List.of(oids()), row -> {
            var columns = strings(row.getArray("columns"));
            var draft = drafts.get(row.getLong("relation"));
            if (row.getString("kind").equals("f"))
                draft.foreignKeys.add(new ForeignKey(row.getString("name"), columns,
                        new TableName(row.getString("referred_schema"), row.getString("referred")).toString(),
                        row.getString("definition")));
            else draft.constraints
                    .add(new Constraint(row.getString("name"), row.getString("kind").equals("x"), columns, row.getString("definition")));
        });
        query("sequences", List.of(oids()), row -> drafts.get(row.getLong("relation")).sequences.add(new Sequence(row.getString("name"),
                new TableName(row.getString("sequence_schema"), row.getString("sequence")).toString(), row.getLong("increment"),
                row.getLong("maximum"))));
        var types = new LinkedHashMap<String, TypeDescription>();
        query("types", columnsOfDataSet(),
                row -> types.put(row.getString("name"),
                        new TypeDescription(row.getString("kind"), strings(row.getArray("labels")), row.getString("of"),
                                row.getBoolean("not_null"), map(strings(row.getArray("check_names")), strings(row.getArray("checks"))))));
        var tables = new ArrayList<TableDescription>();
        drafts.forEach((oid, d) -> tables.add(new TableDescription(names.get(oid), d.kind, d.parent, d.unlogged, d.columns, d.uniqueIndexes,
                d.constraints, d.foreignKeys, d.sequences)));
        return new SchemaDescription(true, tables, types);
    }

    private static CollationDescription collation(ResultSet row, String name) {
        try {
            return new CollationDescription(name, row.getBoolean("deterministic"), Optional.ofNullable(row.getString("locale")));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Map<String, String> map(List<String> keys, List<String> values) {
        var map = new LinkedHashMap<String, String>();
        for (int i = 0; i < keys.size(); i++) map.put(keys.get(i), values.get(i));
        return map;
    }

    /** Returns two parallel arrays of relations and column names. Columns that do not exist match nothing. */
    List<Array> columnsOfDataSet() throws SQLException {
        return columns(Table::columns);
    }

    List<Array> keyColumns() throws SQLException {
        return columns(Table::key);
    }

    private List<Array> columns(java.util.function.Function<Table, List<String>> of) throws SQLException {
        var relations = new ArrayList<Long>();
        var columns = new ArrayList<String>();
        for (Table table : dataSet.tables()) {
            if (!oids.containsKey(table.name())) continue;
            for (String column : of.apply(table)) {
                relations.add(oids.get(table.name()));
                columns.add(column);
            }
        }
        return List.of(connection.createArrayOf("oid", relations.toArray()), text(columns));
    }

    Array oids() throws SQLException {
        return connection.createArrayOf("oid", oids.values().toArray());
    }

    Array oids(List<Long> others) throws SQLException {
        return connection.createArrayOf("oid", others.toArray());
    }

    Array text(List<String> values) throws SQLException {
        return connection.createArrayOf("text", values.toArray());
    }

    long oid(String table) {
        return oids.get(table);
    }

    /** Returns the data set's name of a relation. */
    String name(long oid) {
        return names.get(oid);
    }

    /** Runs the statement of {@code <name>.sql} and passes every row to the reader. */
    void query(String name, List<?> parameters, RowReader reader) throws SQLException {
        try (var query = connection.prepareStatement(text(name))) {
            for (int i = 0; i < parameters.size(); i++) {
                if (parameters.get(i) instanceof Array array) query.setArray(i + 1, array);
                else query.setString(i + 1, (String) parameters.get(i));
            }
            try (var row = query.executeQuery()) {
                while (row.next()) reader.read(row);
            }
        }
    }

    static List<String> strings(Array array) throws SQLException {
        return array == null ? List.of() : List.of((String[]) array.getArray());
    }

    private static String text(String name) {
        try (InputStream in = Catalogue.class.getResourceAsStream(name + ".sql")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
