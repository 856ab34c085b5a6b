package lockstep.release;

import java.util.Map;
import java.util.Optional;
import lockstep.accounts.AccountAccess;
import software.amazon.awssdk.services.sts.StsClient;

/**
 * Who does something: as AWS knows them, which can't be made up, and whom a pipeline says it works for, which its own jobs can.
 *
 * @param job address of the pipeline's job
 */
public record Identity(String who, Optional<String> job) {
    public static Identity of(AccountAccess access, Map<String, String> environment) {
        try (var sts = access.client(StsClient.builder())) {
            String arn = sts.getCallerIdentity().arn();
            // of a role the role and its session, of a user the name
            String known = arn.substring(arn.lastIndexOf(':') + 1).replaceFirst("^(assumed-role|user)/", "");
            String person = Optional.ofNullable(environment.get("GITLAB_USER_LOGIN")).orElse(environment.getOrDefault("USER", ""));
            return new Identity(person.isBlank() ? known : known + " for " + person, Optional.ofNullable(environment.get("CI_JOB_URL")));
        }
    }
}
