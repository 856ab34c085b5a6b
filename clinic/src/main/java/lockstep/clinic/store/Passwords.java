package lockstep.clinic.store;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.concurrent.Semaphore;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/** Argon2id at the cost that OWASP's password storage cheat sheet asks for, in the usual text form with its parameters and salt. */
public final class Passwords {
    /** So many passwords are being hashed that one more would only keep a thread waiting that others need. */
    public static final class TooManyAtOnce extends RuntimeException {
        TooManyAtOnce() {
            super("too many passwords at once");
        }
    }

    /** Threads that may wait for a hash; fewer than the server has, so that somebody who tries passwords stops no other page. */
    private static final int WAITING = 12;
    private static final int MEMORY_KIB = 19 * 1024;
    private static final int ITERATIONS = 2;
    private static final int LANES = 1;
    private static final int SALT_BYTES = 16;
    private static final int HASH_BYTES = 32;
    private static final String READABLE = "abcdefghjkmnpqrstuvwxyz23456789"; // without what looks alike
    private static final String PREFIX = "$argon2id$v=19$m=" + MEMORY_KIB + ",t=" + ITERATIONS + ",p=" + LANES + "$";

    private final SecureRandom random = new SecureRandom();
    /** Each hash takes its memory and a core: more at once would only wait for each other, and could exhaust the heap. */
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

    /** Takes as long as {@link #matches}, for when there is nothing to compare with: an answer's time must not tell who exists. */
    public void pretend(String password) {
        matches(password, nobodys);
    }

    /** A password that is easy to copy by hand, of 79 random bits. */
    public String generate() {
        return words(4, 4);
    }

    /** Random readable signs in groups with dashes between. */
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
        if (atOnce.getQueueLength() >= WAITING) {
            throw new TooManyAtOnce();
        }
        atOnce.acquireUninterruptibly();
        try {
            generator.generateBytes(password.getBytes(StandardCharsets.UTF_8), hash);
        } finally {
            atOnce.release();
        }
        return hash;
    }
}
