package lockstep.clinic.web;

import java.util.Optional;
import lockstep.clinic.configuration.Features;
import lockstep.clinic.store.Accounts.User;

/**
 * The layout data of every page.
 *
 * @param token       the CSRF token that each form sends
 * @param banner      a warning above the page: the demo's, or of a client certificate that expires; empty if there is none
 * @param certificate the subject of the client's certificate, if pages show it
 * @param signUpOpen  whether visitors can currently sign up
 */
public record Frame(Features features, Assets assets, Optional<User> user, String token, Optional<String> banner, String freshness,
        Optional<String> certificate, boolean signUpOpen) {
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
