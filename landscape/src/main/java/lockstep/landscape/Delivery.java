package lockstep.landscape;

import java.net.URI;
import java.util.List;

/**
 * Who may deploy, and who is notified.
 *
 * @param gitlab  the URL of the trusted GitLab, as its ID tokens name it: {@code https://gitlab.example.com}
 * @param project the path of the project: group, optional subgroups, and name
 * @param ref     the protected branch whose jobs may deploy and sync; jobs of other branches may only read
 * @param email   the addresses that receive notifications of deployments, syncs and failures in every account
 */
public record Delivery(String gitlab, String project, String ref, List<String> email) {
    /** The audience that a job's ID token must have. */
    public static final String AUDIENCE = "lockstep";

    public Delivery {
        email = List.copyOf(email);
    }

    /** The name of the token provider in IAM: the URL without its scheme. */
    public String issuer() {
        return URI.create(gitlab).getAuthority() + URI.create(gitlab).getPath();
    }

    /** The {@code sub} claim in tokens of the protected branch's jobs. */
    public String subject() {
        return subject(ref);
    }

    /** The pattern of the {@code sub} claim for jobs of any branch, including those of merge requests. */
    public String anyBranch() {
        return subject("*");
    }

    private String subject(String branch) {
        return "project_path:%s:ref_type:branch:ref:%s".formatted(project, branch);
    }
}
