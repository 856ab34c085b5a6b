package lockstep.localcloud;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.List;
import java.util.function.Consumer;
import lockstep.accounts.AccountAccess;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.ExistingDatabase;
import lockstep.landscape.Names;
import lockstep.landscape.Shard;
import lockstep.project.UserFault;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The database of a shard: on the server of its account, created to match the deployed secrets, or an existing one on a server that is not
 * ours.
 */
public final class ShardDatabase {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** The users of which an existing database has secrets. */
    private static final List<DatabaseUser> LOGINS = List.of(DatabaseUser.ADMIN, DatabaseUser.READER, DatabaseUser.WRITER);
    private final Shard shard;
    private final PostgresServer server;
    private final AccountAccess account;
    private final Certificates certificates;

    ShardDatabase(Shard shard, PostgresServer server, AccountAccess account, Certificates certificates) {
        this.shard = shard;
        this.server = server;
        this.account = account;
        this.certificates = certificates;
    }

    /** Creates the database, or checks that the existing one can be reached, and sets its address in the secrets. */
    void ensure() {
        shard.database().ifPresentOrElse(database -> database.localSchema().ifPresentOrElse(this::createFrom,
                () -> useExisting(database)), this::create);
    }

    /** Logs in once, so that a wrong address or password is reported here, and puts the administrator's login into the emulated secret. */
    private void useExisting(ExistingDatabase database) {
        var local = database.local().orElseThrow(() -> new UserFault("shard " + shard.name() + " is an existing database: add "
                + "database.local with the database that takes its place on this machine, or database.localSchema"));
        String password = password(local.passwordFile());
        var url = "jdbc:postgresql://" + local.host() + ":" + local.port() + "/" + local.name() + "?" + tls();
        try (var connection = DriverManager.getConnection(url, local.user(), password)) {
            connection.isValid(0);
        } catch (SQLException e) {
            throw new UserFault("the existing database of shard " + shard.name() + " cannot be opened: " + e.getMessage(), e);
        }
        for (DatabaseUser user : LOGINS) {
            update(user, secret -> {
                secret.put("host", local.host()).put("port", local.port()).put("dbname", local.name()).remove("sslrootcert");
                local.ca().ifPresentOrElse(ca -> secret.put("sslrootcert", read(ca)), () -> secret.put("sslmode", "disable"));
                if (user == DatabaseUser.ADMIN) secret.put("username", local.user()).put("password", password).remove("masterarn");
            });
        }
    }

    private static String password(Path file) {
        try {
            var others = EnumSet.range(PosixFilePermission.GROUP_READ, PosixFilePermission.OTHERS_EXECUTE);
            others.retainAll(Files.getPosixFilePermissions(file));
            if (!others.isEmpty()) throw new UserFault("others may read or change the password in " + file + ": run chmod 600 " + file);
        } catch (IOException e) {
            throw new UserFault("the password file " + file + " cannot be read: " + e, e);
        }
        return read(file).strip();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UserFault(file + " cannot be read: " + e, e);
        }
    }

    /** Creates the database in place of an existing one, and its tables when it has none. */
    private void createFrom(Path schema) {
        update(DatabaseUser.ADMIN, secret -> secret.put("username", Names.databaseUser(shard.name(), DatabaseUser.ADMIN))
                .remove("masterarn"));
        for (var user : LOGINS) update(user, secret -> secret.put("dbname", Names.database(shard.name())).remove("sslrootcert"));
        create();
        try (var connection = server.connect(Names.database(shard.name())); var statement = connection.createStatement()) {
            var tables = statement.executeQuery("select from pg_tables where schemaname !~ '^pg_' and schemaname <> 'information_schema'");
            if (tables.next()) return;
            connection.setAutoCommit(false);
            executeFormatted(connection, "set role %I", Names.databaseUser(shard.name(), DatabaseUser.ADMIN));
            statement.execute(read(schema));
            connection.commit();
        } catch (SQLException e) {
            throw new UserFault("cannot create the tables of shard " + shard.name() + " from " + schema + ": " + e.getMessage(), e);
        }
    }

    /** Creates the admin role with the password of its secret and the database. */
    private void create() {
        ObjectNode admin = secret(DatabaseUser.ADMIN);
        String name = admin.get("username").asString();
        String database = admin.get("dbname").asString();
        try (var connection = server.connect("postgres")) {
            String verb = exists(connection, "select 1 from pg_roles where rolname = ?", name) ? "alter" : "create";
            executeFormatted(connection, verb + " role %I login createrole nosuperuser nobypassrls password %L", name,
                    admin.get("password").asString());
            // as Aurora's administrator, who sees when other sessions were active
            executeFormatted(connection, "grant pg_read_all_stats to %I", name);
            if (!exists(connection, "select 1 from pg_database where datname = ?", database)) {
                executeFormatted(connection, "create database %I owner %I", database, name);
            }
        } catch (SQLException e) {
            throw new UserFault("cannot create the database of shard " + shard.name() + ": " + e.getMessage(), e);
        }
        for (DatabaseUser user : shard.runsProduct() ? List.of(DatabaseUser.values()) : LOGINS) {
            update(user, secret -> secret.put("host", "localhost").put("port", server.port()));
        }
    }

    /** Deletes the database and its users. */
    void drop() {
        try (var connection = server.connect("postgres")) {
            executeFormatted(connection, "drop database if exists %I with (force)", Names.database(shard.name()));
            for (DatabaseUser user : DatabaseUser.values()) {
                executeFormatted(connection, "drop role if exists %I", Names.databaseUser(shard.name(), user));
            }
        } catch (SQLException e) {
            throw new UserFault("cannot delete the database of shard " + shard.name() + ": " + e.getMessage(), e);
        }
    }

    /** Returns the URL for psql and other libpq clients, with the admin's password. */
    public String url() {
        ObjectNode secret = secret(DatabaseUser.ADMIN);
        return "postgresql://" + encoded(secret.get("username").asString()) + ":" + encoded(secret.get("password").asString())
                + "@" + secret.get("host").asString() + ":" + secret.get("port").asInt() + "/" + encoded(secret.get("dbname").asString())
                + "?" + tls();
    }

    ObjectNode secret(DatabaseUser user) {
        try (var secrets = account.client(SecretsManagerClient.builder())) {
            return (ObjectNode) JSON.readTree(secrets.getSecretValue(r -> r.secretId(secretName(user))).secretString());
        }
    }

    private void update(DatabaseUser user, Consumer<ObjectNode> change) {
        ObjectNode secret = secret(user);
        ObjectNode updated = secret.deepCopy();
        change.accept(updated);
        if (!updated.equals(secret)) {
            try (var secrets = account.client(SecretsManagerClient.builder())) {
                secrets.putSecretValue(r -> r.secretId(secretName(user)).secretString(JSON.writeValueAsString(updated)));
            }
        }
    }

    private String secretName(DatabaseUser user) {
        return Names.secret(shard.name(), user);
    }

    private String tls() {
        var local = shard.database().flatMap(ExistingDatabase::local);
        if (local.isPresent() && local.get().ca().isEmpty()) return "sslmode=disable";
        var authority = local.flatMap(ExistingDatabase.Local::ca).orElse(certificates.authority());
        return "sslmode=verify-full&sslrootcert=" + encoded(authority.toString());
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private static boolean exists(Connection connection, String query, String name) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            statement.setString(1, name);
            return statement.executeQuery().next();
        }
    }

    /** Executes a DDL statement. DDL accepts no parameters, so the server quotes the values. */
    private static void executeFormatted(Connection connection, String format, String... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select format(?, variadic ?)")) {
            statement.setString(1, format);
            statement.setArray(2, connection.createArrayOf("text", values));
            var answer = statement.executeQuery();
            answer.next();
            try (var execute = connection.createStatement()) {
                execute.execute(answer.getString(1));
            }
        }
    }
}
