package lockstep.clinic.web;

import java.util.Optional;
import lockstep.clinic.configuration.Features;
import lockstep.clinic.store.Accounts.User;

/**
 * What surrounds every page.
 *
 * @param token       what each form sends along
 * @param banner      the warning of the demo edition; empty where there is none
 * @param certificate the subject of the client's certificate, where pages show it
 * @param signUpOpen  whether visitors may sign up at present
 */
public record Frame(Features features, Assets assets, Optional<User> user, String token, Optional<String> banner, String freshness, Optional<String> certificate, boolean signUpOpen) {
    public String style() {
        return assets.style().path();
    }

    public String script() {
        return assets.script().path();
    }

    public String icon() {
        return assets.icon().path();
    }
}
