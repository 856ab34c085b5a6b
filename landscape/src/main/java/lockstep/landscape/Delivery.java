package lockstep.landscape;

import java.net.URI;
import java.util.List;

/**
 * Who may deploy, and who is notified.
 *
 * @param gitlab   the URL of the trusted GitLab, as its ID tokens name it: {@code https://gitlab.example.com}
 * @param project  the path of the project: group, optional subgroups, and name
 * @param ref      the protected branch whose jobs may deploy and sync; jobs of other branches may only read
 * @param email    the addresses that receive notifications of deployments, syncs and failures in every account
 * @param syncFrom the branches of other projects whose jobs may start and follow syncs
 */
public record Delivery(String gitlab, String project, String ref, List<String> email, List<Branch> syncFrom) {
    /** The audience that a job's ID token must have. */
    public static final String AUDIENCE = "lockstep";

    /** A protected branch of another project of the same GitLab. */
    public record Branch(String project, String ref) {}

    public Delivery {
        email = List.copyOf(email);
        syncFrom = List.copyOf(syncFrom);
    }

    /** The name of the token provider in IAM: the URL without its scheme. */
    public String issuer() {
        return URI.create(gitlab).getAuthority() + URI.create(gitlab).getPath();
    }

    /** The {@code sub} claim in tokens of the protected branch's jobs. */
    public String subject() {
        return subject(project, ref);
    }

    /** The pattern of the {@code sub} claim for jobs of any branch, including those of merge requests. */
    public String anyBranch() {
        return subject(project, "*");
    }

    /** The {@code sub} claims in tokens of the other projects' jobs. */
    public List<String> syncSubjects() {
        return syncFrom.stream().map(branch -> subject(branch.project(), branch.ref())).toList();
    }

    private static String subject(String project, String branch) {
        return "project_path:%s:ref_type:branch:ref:%s".formatted(project, branch);
    }
}
