package lockstep.clinic.store;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/** Where a database is and who connects. */
public record DatabaseLogin(String host, int port, String database, String username, String password) {
    /** For JDBC, without user and password. Always over TLS; the server's certificate is verified when its authority is given. */
    public String url(Optional<Path> authority) {
        String verification = authority.map(path -> "verify-full&sslrootcert=" + encoded(path.toString())).orElse("require");
        // the server's details quote values, which may be what a person entered: they must not reach a log
        return "jdbc:postgresql://" + host + ":" + port + "/" + encoded(database) + "?sslmode=" + verification + "&logServerErrorDetail=false&connectTimeout=5&socketTimeout=30&tcpKeepAlive=true";
    }

    @Override
    public String toString() {
        return username + "@" + host + ":" + port + "/" + database;
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
