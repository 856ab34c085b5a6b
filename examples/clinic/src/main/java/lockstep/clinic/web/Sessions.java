package lockstep.clinic.web;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Sessions as signed cookies, which any instance with the same key can read. {@code Accounts} records which sessions have been ended. */
final class Sessions {
    /** Counted from the start of the session, and enforced here and not by the browser. */
    static final Duration LONGEST = Duration.ofHours(12);
    private static final int MICROS = 1_000_000;

    /**
     * @param nonce    the basis of the session's CSRF tokens
     * @param customer empty if nobody is logged in
     */
    record Session(String nonce, Instant since, String customer, String username) {
        boolean isLoggedIn() {
            return !customer.isEmpty();
        }
    }

    private final SecureRandom random = new SecureRandom();
    private final SecretKeySpec key;

    Sessions(byte[] key) {
        this.key = new SecretKeySpec(key, "HmacSHA256");
    }

    Session anonymous() {
        return of(Instant.now(), "", "");
    }

    /** A new session, with a new nonce. */
    Session of(Instant since, String customer, String username) {
        byte[] nonce = new byte[16];
        random.nextBytes(nonce);
        return new Session(encode(nonce), since, customer, username);
    }

    String sign(Session session) {
        long micros = Math.addExact(Math.multiplyExact(session.since().getEpochSecond(), (long) MICROS), session.since().getNano() / 1000);
        String payload = String.join(".", session.nonce(), Long.toString(micros),
                encode(session.customer().getBytes(StandardCharsets.UTF_8)), encode(session.username().getBytes(StandardCharsets.UTF_8)));
        return payload + "." + mac("session", payload);
    }

    /** Reads a session; empty unless it is signed with this key and has not expired. */
    Optional<Session> read(String signed) {
        int end = signed.lastIndexOf('.');
        if (end < 0 || !same(mac("session", signed.substring(0, end)), signed.substring(end + 1))) return Optional.empty();
        String[] parts = signed.substring(0, end).split("\\.", -1);
        long micros = Long.parseLong(parts[1]);
        var since = Instant.ofEpochSecond(micros / MICROS, micros % MICROS * 1000);
        return Optional.of(new Session(parts[0], since, decode(parts[2]), decode(parts[3])))
                .filter(it -> Instant.now().isBefore(since.plus(LONGEST)));
    }

    /** The CSRF token that forms of this session must send. */
    String token(Session session) {
        return mac("form", session.nonce());
    }

    boolean isToken(Session session, String token) {
        return same(token(session), token);
    }

    private String mac(String purpose, String text) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            return encode(mac.doFinal((purpose + "\n" + text).getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // every JDK has HmacSHA256
        }
    }

    private static boolean same(String expected, String given) {
        return MessageDigest.isEqual(expected.getBytes(StandardCharsets.UTF_8), given.getBytes(StandardCharsets.UTF_8));
    }

    private static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static String decode(String text) {
        return new String(Base64.getUrlDecoder().decode(text), StandardCharsets.UTF_8);
    }
}
