package lockstep.landscape;

import java.net.URI;
import java.util.List;

/**
 * Who deploys, and who is told of it.
 *
 * @param gitlab  address of the GitLab whose jobs are believed, as their tokens name it: {@code https://gitlab.example.com}
 * @param project path of the project there: group, perhaps subgroups, and name
 * @param ref     the protected branch whose jobs may deploy and sync; jobs of other branches may only look
 * @param email   addresses that hear of deployments, syncs and failures, in each account
 */
public record Delivery(String gitlab, String project, String ref, List<String> email) {
    /** For whom a job's token has to be made out. */
    public static final String AUDIENCE = "lockstep";

    public Delivery {
        email = List.copyOf(email);
    }

    /** By which IAM knows the provider of the tokens: the address without its scheme. */
    public String issuer() {
        return URI.create(gitlab).getAuthority() + URI.create(gitlab).getPath();
    }

    /** Of the jobs of the protected branch, in the {@code sub} of their tokens. */
    public String subject() {
        return subject(ref);
    }

    /** Of the jobs of any branch, those of merge requests among them. */
    public String anyBranch() {
        return subject("*");
    }

    private String subject(String branch) {
        return "project_path:%s:ref_type:branch:ref:%s".formatted(project, branch);
    }
}
