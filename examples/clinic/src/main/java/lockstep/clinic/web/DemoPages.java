package lockstep.clinic.web;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import java.time.LocalDate;
import java.util.Map;
import java.util.Optional;
import lockstep.clinic.demo.Inquiries;
import lockstep.clinic.demo.Visitors;
import lockstep.clinic.store.Accounts.User;
import lockstep.clinic.store.Passwords;

/** The pages of the demo edition: sign-up and inquiries to sales. */
final class DemoPages {
    private static final int SHORTEST_PASSWORD = 12;

    private final Site site;
    private final Visitors visitors;
    private final Inquiries inquiries;
    private final Passwords passwords;

    DemoPages(Site site, Visitors visitors, Inquiries inquiries, Passwords passwords) {
        this.site = site;
        this.visitors = visitors;
        this.inquiries = inquiries;
        this.passwords = passwords;
    }

    void route(RoutesConfig routes) {
        if (site.features.signUp()) {
            routes.get("/signup", ctx -> {
                if (open(ctx)) showSignUp(ctx, Form.with(Map.of()));
            });
            routes.post("/signup", this::signUp);
        }
        if (site.features.inquiries()) {
            routes.get("/inquiry",
                    ctx -> showInquiry(ctx, Form.with(site.user(ctx).map(user -> Map.of("name", user.fullName())).orElse(Map.of()))));
            routes.post("/inquiry", this::inquire);
        }
    }

    private boolean open(Context ctx) {
        if (!site.signUpOpen(ctx)) {
            site.message(ctx, HttpStatus.FORBIDDEN, "Sign-up is closed",
                    "New demo clinics cannot be created at the moment. Please come back later, or send us an inquiry.");
        }
        return site.signUpOpen(ctx);
    }

    /** Accepts posts without a token, because they may come from the company's website. They give no access to existing data. */
    private void signUp(Context ctx) {
        if (!open(ctx)) return;
        var form = Form.of(ctx);
        if (!form.value("website").isEmpty()) { // a honeypot field, which people do not see
            ctx.redirect("/login", HttpStatus.SEE_OTHER);
            return;
        }
        String name = form.text("name", 100);
        String clinic = form.text("clinic", 100);
        String email = form.email("email");
        var chosen = Optional.of(form.value("password")).filter(it -> !it.isEmpty());
        if (chosen.filter(it -> it.length() < SHORTEST_PASSWORD || it.length() > 200).isPresent()) {
            form.reject("password", "Please enter %d to 200 characters, or leave it empty to get a password.".formatted(SHORTEST_PASSWORD));
        }
        if (form.hasErrors()) {
            showSignUp(ctx.status(HttpStatus.UNPROCESSABLE_CONTENT), form);
            return;
        }
        String password = chosen.orElseGet(passwords::generate);
        var arrival = visitors.add(clinic, name, email, password);
        site.begin(ctx, arrival.user());
        // responds directly instead of redirecting, because the password is not stored and can be shown only once
        site.render(ctx, "welcome", Map.of("user", arrival.user(), "password",
                chosen.isPresent() ? Optional.empty() : Optional.of(password), "suggestion", arrival.suggestion()));
    }

    private void showSignUp(Context ctx, Form form) {
        site.render(ctx, "signup", Map.of("form", form));
    }

    private void inquire(Context ctx) {
        var form = Form.of(ctx);
        var today = LocalDate.now();
        var meetingAt = form.optional("meeting-at", 20);
        if (meetingAt.isPresent() && !meetingAt.get().matches("morning|afternoon")) {
            form.reject("meeting-at", "Please choose morning or afternoon.");
        }
        var inquiry = new Inquiries.Inquiry(form.text("name", 100), form.email("email"), form.text("message", 4000),
                form.date("meeting-on", today, today.plusYears(1)), meetingAt);
        if (form.hasErrors()) {
            showInquiry(ctx.status(HttpStatus.UNPROCESSABLE_CONTENT), form);
            return;
        }
        inquiries.add(site.user(ctx).map(User::customer).orElse(""), inquiry);
        site.message(ctx, HttpStatus.OK, "Thank you",
                inquiry.meetingOn().isPresent() ? "We have received your inquiry, and will confirm the meeting by e-mail."
                        : "We have received your inquiry, and will answer by e-mail.");
    }

    private void showInquiry(Context ctx, Form form) {
        site.render(ctx, "inquiry", Map.of("form", form, "today", LocalDate.now()));
    }
}
