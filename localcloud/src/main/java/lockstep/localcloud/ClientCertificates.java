package lockstep.localcloud;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import javax.security.auth.x500.X500Principal;
import lockstep.project.ProjectFiles;
import lockstep.project.UserFault;
import tools.jackson.databind.json.JsonMapper;

/** The local authority for clients of the production proxies, with all issued and revoked certificates. */
public final class ClientCertificates {
    /** The name of the certificate that {@code up} issues, so that production can be opened immediately. */
    public static final String FIRST = "operator";
    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9_-]{0,47}";
    private static final Duration VALIDITY = Duration.ofDays(365);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private final Path directory;

    public ClientCertificates(Path directory) {
        this.directory = directory;
    }

    /**
     * An issued certificate.
     *
     * @param serial  the serial number, hexadecimal
     * @param revoked the time of revocation, if revoked
     */
    public record Client(String name, String serial, Instant issued, Instant expires, Optional<Instant> revoked) {
        @JsonIgnore
        public boolean isValid() {
            return revoked.isEmpty() && expires.isAfter(Instant.now());
        }

        private Client revokedNow() {
            return new Client(name, serial, issued, expires, Optional.of(Instant.now().truncatedTo(ChronoUnit.SECONDS)));
        }
    }

    /** The files of a client: certificate and key as PEM, and both as PKCS #12 with a password. */
    public record Bundle(Path certificate, Path key, Path pkcs12, String password) {}

    /** @param listNumber the number of the last revocation list, which increases */
    private record Register(long listNumber, List<Client> clients) {}

    Path authority() {
        return directory.resolve("authority.pem");
    }

    Path revocationList() {
        return directory.resolve("revoked.pem");
    }

    /** Creates the authority, the first certificate and the revocation list, and renews those that expire soon. */
    void ensure() {
        try {
            Files.createDirectories(directory);
            if (!Files.exists(authority()) || Authority.nearExpiry(Authority.certificate(authority()))) {
                Files.deleteIfExists(registerFile());
                Files.deleteIfExists(revocationList());
                Authority.create("Lockstep local clients", Authority.Kind.CLIENTS).write(authority(), authorityKey());
            }
            var first = find(FIRST);
            if (first.isEmpty()
                    || first.get().revoked().isEmpty() && first.get().expires().isBefore(Instant.now().plus(Authority.NEAR_EXPIRY))) {
                issueAndRegister(FIRST);
            }
            if (!Files.exists(revocationList()) || listEnd().isBefore(Instant.now().plus(Authority.NEAR_EXPIRY))) {
                publish(register().clients());
            }
        } catch (IOException e) {
            throw new UserFault("cannot create the clients' authority in " + directory + ": " + e.getMessage(), e);
        }
    }

    /** Returns all certificates, including revoked and expired ones, oldest first. */
    public List<Client> list() {
        return register().clients();
    }

    /** Returns the newest certificate with a name. */
    public Optional<Client> find(String name) {
        return list().reversed().stream().filter(client -> client.name().equals(name)).findFirst();
    }

    /** @throws IllegalArgumentException if the name is invalid or already has a valid certificate */
    public Client issue(String name) {
        if (!name.matches(NAME)) {
            throw new IllegalArgumentException("a name has at most 48 letters, digits, hyphens and underscores, not '" + name + "'");
        }
        if (find(name).filter(Client::isValid).isPresent()) {
            throw new IllegalArgumentException(
                    "'" + name + "' already has a certificate; to replace it, first: lockstep certificate revoke " + name);
        }
        return issueAndRegister(name);
    }

    /**
     * Revokes a certificate and writes a new revocation list. The caller distributes the list.
     *
     * @throws IllegalArgumentException if there is no valid certificate with this name
     */
    public Client revoke(String name) {
        var clients = new ArrayList<>(list());
        var found = find(name).filter(Client::isValid)
                .orElseThrow(() -> new IllegalArgumentException("'" + name + "' has no valid certificate; these have one: "
                        + String.join(", ", clients.stream().filter(Client::isValid).map(Client::name).toList())));
        var revoked = found.revokedNow();
        clients.set(clients.indexOf(found), revoked);
        publish(clients);
        return revoked;
    }

    public Bundle files(String name) {
        try {
            return new Bundle(file(name, ".pem"), file(name, ".key"), file(name, ".p12"), Files.readString(file(name, ".password")));
        } catch (IOException e) {
            throw new UserFault("cannot read the certificate of " + name + ": " + e.getMessage(), e);
        }
    }

    private Client issueAndRegister(String name) {
        var issued = Authority.read(authority(), authorityKey()).issue(new X500Principal("CN=" + name), Authority.Kind.CLIENTS, List.of(),
                VALIDITY);
        String password = randomPassword();
        ProjectFiles.writePrivately(file(name, ".key"), Authority.pem(issued.key()));
        ProjectFiles.writePrivately(file(name, ".pem"), Authority.pem(issued.certificate()));
        ProjectFiles.writePrivately(file(name, ".p12"), pkcs12(name, issued, password));
        ProjectFiles.writePrivately(file(name, ".password"), password.getBytes(StandardCharsets.UTF_8));
        var register = register();
        var client = new Client(name, issued.certificate().getSerialNumber().toString(16), Instant.now().truncatedTo(ChronoUnit.SECONDS),
                issued.certificate().getNotAfter().toInstant(), Optional.empty());
        var clients = new ArrayList<>(register.clients());
        clients.add(client);
        write(new Register(register.listNumber(), clients));
        return client;
    }

    private void publish(List<Client> clients) {
        long number = register().listNumber() + 1;
        var revoked = new TreeMap<BigInteger, Instant>();
        clients.forEach(client -> client.revoked().ifPresent(since -> revoked.put(new BigInteger(client.serial(), 16), since)));
        // write the register first, because a reused number would look like the same list
        write(new Register(number, clients));
        ProjectFiles.writePrivately(revocationList(),
                Authority.pem(Authority.read(authority(), authorityKey()).revocationList(BigInteger.valueOf(number), revoked, VALIDITY)));
    }

    private Instant listEnd() {
        try (var in = Files.newInputStream(revocationList())) {
            return ((X509CRL) CertificateFactory.getInstance("X.509").generateCRL(in)).getNextUpdate().toInstant();
        } catch (IOException | GeneralSecurityException e) {
            throw new UserFault("cannot read " + revocationList() + ": " + e.getMessage(), e);
        }
    }

    private static byte[] pkcs12(String name, Authority.Issued issued, String password) {
        try {
            var store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry(name, issued.key(), password.toCharArray(), new Certificate[]{issued.certificate()});
            var bytes = new ByteArrayOutputStream();
            store.store(bytes, password.toCharArray());
            return bytes.toByteArray();
        } catch (IOException | GeneralSecurityException e) {
            throw new UserFault("cannot write the certificate of " + name + " as PKCS #12: " + e.getMessage(), e);
        }
    }

    static String randomPassword() {
        byte[] bytes = new byte[12];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private Register register() {
        try {
            return Files.exists(registerFile()) ? JSON.readValue(Files.readAllBytes(registerFile()), Register.class)
                    : new Register(0, List.of());
        } catch (IOException e) {
            throw new UserFault("cannot read " + registerFile() + ": " + e.getMessage(), e);
        }
    }

    private void write(Register register) {
        ProjectFiles.writePrivately(registerFile(), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(register));
    }

    private Path registerFile() {
        return directory.resolve("register.json");
    }

    private Path authorityKey() {
        return directory.resolve("authority.key");
    }

    private Path file(String name, String suffix) {
        return directory.resolve(name + suffix);
    }
}
