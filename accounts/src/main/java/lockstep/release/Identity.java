package lockstep.release;

import java.util.Map;
import java.util.Optional;
import lockstep.accounts.AccountAccess;
import software.amazon.awssdk.services.sts.StsClient;

/**
 * The identity behind an action: the AWS identity, which cannot be forged, and the person that a pipeline works for, which its jobs could
 * forge.
 *
 * @param job the URL of the pipeline job
 */
public record Identity(String who, Optional<String> job) {
    public static Identity of(AccountAccess access, Map<String, String> environment) {
        try (var sts = access.client(StsClient.builder())) {
            String arn = sts.getCallerIdentity().arn();
            // role/session for a role, or the name of a user
            String known = arn.substring(arn.lastIndexOf(':') + 1).replaceFirst("^(assumed-role|user)/", "");
            String person = Optional.ofNullable(environment.get("GITLAB_USER_LOGIN")).orElse(environment.getOrDefault("USER", ""));
            return new Identity(person.isBlank() ? known : known + " for " + person, Optional.ofNullable(environment.get("CI_JOB_URL")));
        }
    }
}
