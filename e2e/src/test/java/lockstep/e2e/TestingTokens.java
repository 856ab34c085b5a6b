package lockstep.e2e;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** ID tokens like those of GitLab jobs, signed with a local key. */
final class TestingTokens {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();
    private final KeyPair key;

    TestingTokens() {
        try {
            var generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(2048);
            key = generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns a token of the branch that may deploy. */
    String ofMain() {
        return token("https://gitlab.example.com", "lockstep", "clinic/lockstep", "branch", "main");
    }

    /** Returns a token of the branch of another project that may sync. */
    String ofCodeLists() {
        return token("https://gitlab.example.com", "lockstep", "clinic/code-lists", "branch", "main");
    }

    String token(String issuer, String audience, String project, String refType, String ref) {
        var claims = new LinkedHashMap<String,
                Object>(Map.of("iss", issuer, "aud", audience, "sub", "project_path:%s:ref_type:%s:ref:%s".formatted(project, refType, ref),
                        "project_path", project, "ref", ref, "ref_type", refType, "exp", Instant.now().plusSeconds(3600).getEpochSecond()));
        try {
            String signed = part(Map.of("alg", "RS256", "typ", "JWT", "kid", "testing")) + "." + part(claims);
            var signature = Signature.getInstance("SHA256withRSA");
            signature.initSign(key.getPrivate());
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signed + "." + BASE64.encodeToString(signature.sign());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String part(Map<String, Object> content) {
        return BASE64.encodeToString(JSON.writeValueAsBytes(content));
    }
}
