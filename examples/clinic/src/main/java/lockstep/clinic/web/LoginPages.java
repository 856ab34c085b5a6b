package lockstep.clinic.web;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.javalin.http.HttpStatus;
import java.util.Map;
import java.util.Optional;

final class LoginPages {
    private final Site site;

    LoginPages(Site site) {
        this.site = site;
    }

    void route(RoutesConfig routes) {
        routes.get("/", ctx -> ctx.redirect("/patients"));
        routes.get("/login", ctx -> {
            if (site.user(ctx).isPresent()) {
                ctx.redirect("/patients");
            } else {
                show(ctx, Form.with(Map.of("clinic", Optional.ofNullable(ctx.header("X-Lockstep-Tenant"))
                        .or(() -> Optional.ofNullable(ctx.cookie("tenant"))).orElse(""))), false);
            }
        });
        routes.post("/login", this::login);
        routes.post("/logout", ctx -> {
            site.end(ctx);
            ctx.redirect("/login", HttpStatus.SEE_OTHER);
        });
    }

    private void login(Context ctx) {
        var form = Form.of(ctx);
        var user = site.accounts.login(form.value("clinic").strip(), form.value("user").strip(), form.value("password"));
        if (user.isPresent()) {
            site.begin(ctx, user.get());
            ctx.redirect("/patients", HttpStatus.SEE_OTHER);
        } else {
            show(ctx.status(HttpStatus.UNAUTHORIZED), form, true);
        }
    }

    private void show(Context ctx, Form form, boolean failed) {
        site.render(ctx, "login", Map.of("form", form, "failed", failed));
    }
}
