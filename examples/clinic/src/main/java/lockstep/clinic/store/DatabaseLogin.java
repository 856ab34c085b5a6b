package lockstep.clinic.store;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/** The address of a database and the credentials for it. */
public record DatabaseLogin(String host, int port, String database, String username, String password) {
    /** The JDBC URL, without user and password. It always uses TLS, and verifies the server's certificate if its CA is given. */
    public String url(Optional<Path> authority) {
        String verification = authority.map(path -> "verify-full&sslrootcert=" + encoded(path.toString())).orElse("require");
        // the details of server errors may quote personal data, which must not reach a log
        return "jdbc:postgresql://" + host + ":" + port + "/" + encoded(database) + "?sslmode=" + verification
                + "&logServerErrorDetail=false&connectTimeout=5&socketTimeout=30&tcpKeepAlive=true";
    }

    @Override
    public String toString() {
        return username + "@" + host + ":" + port + "/" + database;
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
