package lockstep.cli.init;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import lockstep.project.UserFault;
import org.postgresql.jdbcurlresolver.PgPassParser;

/**
 * Where the source is, without a password.
 *
 * @param tls {@code sslmode} and {@code sslrootcert}, if given
 */
public record SourceAddress(String host, int port, String database, String user, Map<String, String> tls) {
    private static final String FORM = "write the source as postgresql://USER@HOST:PORT/DATABASE";

    /** @throws IllegalArgumentException if it is not such a URL, or has a password, which the message does not contain */
    public static SourceAddress parse(String url) {
        try {
            var uri = new URI(url.strip());
            String path = Optional.ofNullable(uri.getPath()).orElse("");
            if (!Set.of("postgresql", "postgres").contains(Optional.ofNullable(uri.getScheme()).orElse("")) || uri.getHost() == null
                    || uri.getUserInfo() == null || path.length() < 2)
                throw new IllegalArgumentException(FORM);
            if (uri.getUserInfo().contains(":"))
                throw new IllegalArgumentException("the URL has a password, which others may see; " + FORM + ", and use --password-file");
            return new SourceAddress(uri.getHost(), uri.getPort() < 0 ? 5432 : uri.getPort(), path.substring(1), uri.getUserInfo(),
                    options(uri.getQuery()));
        } catch (URISyntaxException _) {
            throw new IllegalArgumentException(FORM);
        }
    }

    private static Map<String, String> options(String query) {
        var options = new HashMap<String, String>();
        if (query != null) for (String option : query.split("&")) {
            var parts = option.split("=", 2);
            if (parts.length < 2 || !Set.of("sslmode", "sslrootcert").contains(parts[0]))
                throw new IllegalArgumentException("the URL may have the options sslmode and sslrootcert only; " + FORM);
            options.put(parts[0], parts[1]);
        }
        return options;
    }

    /** A name for the product, made from that of the database. */
    public String name() {
        String name = database.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^[^a-z]+|-$", "");
        return name.isEmpty() ? "product" : name.substring(0, Math.min(name.length(), 20)).replaceAll("-$", "");
    }

    /** Whether it is on this machine, so that the local cloud may use it. */
    boolean isLocal() {
        return Set.of("localhost", "127.0.0.1").contains(host);
    }

    Optional<Path> authority() {
        return Optional.ofNullable(tls.get("sslrootcert")).map(Path::of);
    }

    /** The password of PGPASSFILE or of ~/.pgpass. */
    Optional<String> rememberedPassword() {
        return Optional.ofNullable(PgPassParser.getPassword(user, database, host, String.valueOf(port)));
    }

    Connection connect(String password) {
        var properties = new Properties();
        properties.putAll(tls);
        properties.putAll(Map.of("user", user, "password", password, "connectTimeout", "10", "ApplicationName", "lockstep init"));
        try {
            return DriverManager.getConnection("jdbc:postgresql://" + host + ":" + port + "/"
                    + URLEncoder.encode(database, StandardCharsets.UTF_8), properties);
        } catch (SQLException e) {
            throw new UserFault("cannot open " + this + ": " + e.getMessage(), e);
        }
    }

    @Override
    public String toString() {
        return database + " on " + host + ":" + port;
    }
}
