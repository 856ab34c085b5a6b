package lockstep.clinic.store;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.concurrent.Semaphore;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/** Hashes passwords with Argon2id at the cost recommended by OWASP's password storage cheat sheet, in the usual encoded form. */
public final class Passwords {
    /** Thrown if too many passwords are being hashed, because another one would block a thread that other requests need. */
    public static final class TooManyAtOnce extends RuntimeException {
        TooManyAtOnce() {
            super("too many passwords at once");
        }
    }

    /** How many threads may wait for a hash: fewer than the server has, so that a password-guessing attack does not block other pages. */
    private static final int WAITING = 12;
    private static final int MEMORY_KIB = 19 * 1024;
    private static final int ITERATIONS = 2;
    private static final int LANES = 1;
    private static final int SALT_BYTES = 16;
    private static final int HASH_BYTES = 32;
    private static final String READABLE = "abcdefghjkmnpqrstuvwxyz23456789"; // without similar-looking characters
    private static final String PREFIX = "$argon2id$v=19$m=" + MEMORY_KIB + ",t=" + ITERATIONS + ",p=" + LANES + "$";

    private final SecureRandom random = new SecureRandom();
    /** Each hash needs memory and a CPU core. More at once would only slow each other down, and could exhaust the heap. */
    private final Semaphore atOnce = new Semaphore(2);
    private final String nobodys = encoded(randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));

    public String hash(String password) {
        byte[] salt = randomBytes(SALT_BYTES);
        return encoded(salt, compute(password, salt));
    }

    public boolean matches(String password, String hash) {
        String[] parts = hash.substring(PREFIX.length()).split("\\$");
        var base64 = Base64.getDecoder();
        return MessageDigest.isEqual(compute(password, base64.decode(parts[0])), base64.decode(parts[1]));
    }

    /** Takes as long as {@link #matches}, so that the response time does not reveal whether a user exists. */
    public void pretend(String password) {
        matches(password, nobodys);
    }

    /** Returns a password with 79 random bits that is easy to copy by hand. */
    public String generate() {
        return words(4, 4);
    }

    /** Returns random readable characters in groups separated by dashes. */
    public String words(int groups, int length) {
        var text = new StringBuilder();
        for (int i = 0; i < groups * length; i++) {
            text.append(i > 0 && i % length == 0 ? "-" : "").append(READABLE.charAt(random.nextInt(READABLE.length())));
        }
        return text.toString();
    }

    private byte[] randomBytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    private static String encoded(byte[] salt, byte[] hash) {
        var base64 = Base64.getEncoder().withoutPadding();
        return PREFIX + base64.encodeToString(salt) + "$" + base64.encodeToString(hash);
    }

    private byte[] compute(String password, byte[] salt) {
        var generator = new Argon2BytesGenerator();
        generator.init(new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id).withVersion(Argon2Parameters.ARGON2_VERSION_13)
                .withMemoryAsKB(MEMORY_KIB).withIterations(ITERATIONS).withParallelism(LANES).withSalt(salt).build());
        byte[] hash = new byte[HASH_BYTES];
        if (atOnce.getQueueLength() >= WAITING) throw new TooManyAtOnce();
        atOnce.acquireUninterruptibly();
        try {
            generator.generateBytes(password.getBytes(StandardCharsets.UTF_8), hash);
        } finally {
            atOnce.release();
        }
        return hash;
    }
}
