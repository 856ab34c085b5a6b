package lockstep.cli.aws;

import java.util.LinkedHashMap;
import java.util.Map;
import lockstep.landscape.Account;
import lockstep.landscape.Landscape;

/** The accounts of a landscape, wherever they are. */
public interface Accounts extends AutoCloseable {
    Landscape landscape();

    /** With the rights of whoever runs this; {@link AccountAccess#assume} narrows them. */
    AccountAccess account(Account account);

    @Override
    void close();

    /** On AWS, each by the profile that is named as the account. */
    static Accounts onAws(Landscape landscape) {
        var opened = new LinkedHashMap<String, AccountAccess>();
        for (Account account : landscape.accounts()) {
            opened.put(account.name(), AccountAccess.profile(account.name(), landscape.region(), account.id()));
        }
        return new OnAws(landscape, Map.copyOf(opened));
    }

    /** See {@link #onAws}. */
    record OnAws(Landscape landscape, Map<String, AccountAccess> opened) implements Accounts {
        @Override
        public AccountAccess account(Account account) {
            return opened.get(account.name());
        }

        @Override
        public void close() {
            opened.values().forEach(AccountAccess::close);
        }
    }
}
