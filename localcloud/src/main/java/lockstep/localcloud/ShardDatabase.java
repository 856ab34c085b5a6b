package lockstep.localcloud;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import lockstep.accounts.AccountAccess;
import lockstep.landscape.DatabaseUser;
import lockstep.landscape.Names;
import lockstep.landscape.Shard;
import lockstep.project.UserFault;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The database of a shard on the server of its account, created to match the deployed secrets. */
public final class ShardDatabase {
    private static final JsonMapper JSON = JsonMapper.builder().build();
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

    /** Creates the admin role with the password of its secret and the database, and sets the server's address in the secrets. */
    void ensure() {
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
        for (DatabaseUser user : DatabaseUser.values()) {
            setAddress(user);
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

    /** Connects as one of the shard's users with the password of its secret. */
    public Connection connect(DatabaseUser user) throws SQLException {
        ObjectNode secret = secret(user);
        return server.connect(secret.get("dbname").asString(), secret.get("username").asString(), secret.get("password").asString());
    }

    /** Returns the JDBC URL without user and password. */
    String jdbcUrl() {
        return "jdbc:postgresql://localhost:" + server.port() + "/" + secret(DatabaseUser.ADMIN).get("dbname").asString() + "?" + tls();
    }

    /** Returns the URL for psql and other libpq clients, with the admin's password. */
    public String url() {
        ObjectNode secret = secret(DatabaseUser.ADMIN);
        return "postgresql://" + encoded(secret.get("username").asString()) + ":" + encoded(secret.get("password").asString())
                + "@localhost:" + server.port() + "/" + encoded(secret.get("dbname").asString()) + "?" + tls();
    }

    ObjectNode secret(DatabaseUser user) {
        try (var secrets = account.client(SecretsManagerClient.builder())) {
            return (ObjectNode) JSON.readTree(secrets.getSecretValue(r -> r.secretId(secretName(user))).secretString());
        }
    }

    private void setAddress(DatabaseUser user) {
        ObjectNode secret = secret(user);
        ObjectNode updated = secret.deepCopy().put("host", "localhost").put("port", server.port());
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
        return "sslmode=verify-full&sslrootcert=" + encoded(certificates.authority().toString());
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
