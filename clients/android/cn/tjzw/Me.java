package cn.tjzw;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * What belongs to the person who holds the phone: favourites, settings, letters and messages, the same on all of his devices. tjzw_me.h for Java.
 *
 * <p>What is written works without a network, and goes out with the next {@link Tjzw#sync}, {@link Tjzw#background} or {@link #sync}. Nobody has to sign in; what
 * was written before becomes the account's. Threads: as with {@link Tjzw}, to whose handle it belongs.
 */
public final class Me {
    /** How far a sign-in has come: 0 done, 1 a second factor, 2 a password, 3 a code, 4 a phone number, as enum tjzw_step_kind. */
    public static final class Step {
        public final int kind;
        public final long account;
        public final boolean isNew;
        public final String factors, ticket, passkey;

        Step(int kind, long account, boolean isNew, byte[] factors, byte[] ticket, byte[] passkey) {
            this.kind = kind;
            this.account = account;
            this.isNew = isNew;
            this.factors = text(factors);
            this.ticket = text(ticket);
            this.passkey = text(passkey);
        }
    }

    /** Who is here, and what is on its way. */
    public static final class State {
        public final long account, unsent, attention, unread;
        public final boolean guest;
        /** The session was ended elsewhere: he may sign in again. */
        public final boolean ended;
        public final int level;

        State(long account, boolean guest, boolean ended, int level, long unsent, long attention, long unread) {
            this.account = account;
            this.guest = guest;
            this.ended = ended;
            this.level = level;
            this.unsent = unsent;
            this.attention = attention;
            this.unread = unread;
        }
    }

    /** A favourite, a setting, a message: type, key, and a value that is JSON. */
    public static final class Entry {
        public final String type, key, value;
        /** Written here, and not taken by the server yet. */
        public final boolean pending;

        Entry(byte[] type, byte[] key, byte[] value, boolean pending) {
            this.type = text(type);
            this.key = text(key);
            this.value = text(value);
            this.pending = pending;
        }
    }

    /** Return false to see no more. */
    public interface Entries {
        boolean entry(Entry entry);
    }

    /** A letter as its writer sees it. */
    public static final class Letter {
        /** What is not there yet, or not on this phone, is null; sent and state are JSON (docs/letters.md). */
        public final String id, sent, state, number, receipt;
        /** 0 there is none, 1 the server's key is not known yet, 2 it holds, 3 it does not. */
        public final int receiptState;
        /** It is in the outbox. */
        public final boolean waits;
        /** Chinese, for its writer: why it was refused; null: it was not. */
        public final String detail;

        Letter(byte[] id, byte[] sent, byte[] state, byte[] number, byte[] receipt, int receiptState, boolean waits, byte[] detail) {
            this.id = text(id);
            this.sent = text(sent);
            this.state = text(state);
            this.number = text(number);
            this.receipt = text(receipt);
            this.receiptState = receiptState;
            this.waits = waits;
            this.detail = text(detail);
        }
    }

    /** Return false to see no more. */
    public interface Letters {
        boolean letter(Letter letter);
    }

    private final Tjzw phone;

    Me(Tjzw phone) {
        this.phone = phone;
    }

    /** Has a code sent to a phone number; gives the seconds for which it is good. Needs the network, as what signs in and out. */
    public int askCode(String number) throws Tjzw.Failure {
        return askCode(phone.handle(), bytes(number));
    }

    /** Signs in by the code that came. */
    public Step signInByCode(String number, String code) throws Tjzw.Failure {
        return signIn(phone.handle(), bytes(number), bytes(code), null, null, null, null, null, null);
    }

    /** Signs in by a password, with the ticket if a step gave one (else null). */
    public Step signInByPassword(String login, String password, String ticket) throws Tjzw.Failure {
        return signIn(phone.handle(), null, null, bytes(login), bytes(password), bytes(ticket), null, null, null);
    }

    /** The second factor: what the app of one-time passwords shows, or (then totp is null) what the system answered to {@code step.passkey}. */
    public Step secondFactor(String ticket, String totp, String passkey) throws Tjzw.Failure {
        return signIn(phone.handle(), null, null, null, null, bytes(ticket), bytes(totp), bytes(passkey), null);
    }

    /** What is his leaves the phone. Works without a network. */
    public void signOut() throws Tjzw.Failure {
        signOut(phone.handle());
    }

    public State state() throws Tjzw.Failure {
        return state(phone.handle());
    }

    /** Sends what waits and fetches what changed of his; no public content. */
    public Tjzw.Synced sync(int seconds) throws Tjzw.Failure {
        return sync(phone.handle(), seconds);
    }

    /** Writes an entry; value null: removes it. docs/protocol/state.md section 4. */
    public void put(String type, String key, String value) throws Tjzw.Failure {
        put(phone.handle(), bytes(type), bytes(key), bytes(value));
    }

    /** A favourite on all of his devices. */
    public void fav(String id, boolean fav) throws Tjzw.Failure {
        fav(phone.handle(), bytes(id), fav);
    }

    /** All of a type by key: "fav", "set", … and "message", the inbox. */
    public void entries(String type, Entries to) throws Tjzw.Failure {
        entries(phone.handle(), bytes(type), to);
    }

    /** Writes a letter ("letter.send") or what follows it; gives the UUID by which it is known for ever. */
    public String act(String type, String json) throws Tjzw.Failure {
        return text(act(phone.handle(), bytes(type), bytes(json)));
    }

    /** Copies a file into the store, for the next letter that names it by the hash that this gives. */
    public String attach(String path) throws Tjzw.Failure {
        return text(attach(phone.handle(), bytes(path)));
    }

    /** Those that wait, those sent from here, those sent from elsewhere. */
    public void letters(Letters to) throws Tjzw.Failure {
        letters(phone.handle(), to);
    }

    /** Answers a survey: a JSON array as long as its questions (docs/surveys.md). */
    public void answer(String survey, String answers) throws Tjzw.Failure {
        answer(phone.handle(), bytes(survey), bytes(answers));
    }

    private static byte[] bytes(String s) {
        return s == null ? null : s.getBytes(UTF_8);
    }

    private static String text(byte[] s) {
        return s == null ? null : new String(s, UTF_8);
    }

    private static native int askCode(long handle, byte[] number) throws Tjzw.Failure;
    private static native Step signIn(long handle, byte[] number, byte[] code, byte[] login, byte[] password, byte[] ticket, byte[] totp, byte[] passkey, byte[] device)
            throws Tjzw.Failure;
    private static native void signOut(long handle) throws Tjzw.Failure;
    private static native State state(long handle) throws Tjzw.Failure;
    private static native Tjzw.Synced sync(long handle, int seconds) throws Tjzw.Failure;
    private static native void put(long handle, byte[] type, byte[] key, byte[] value) throws Tjzw.Failure;
    private static native void fav(long handle, byte[] id, boolean fav) throws Tjzw.Failure;
    private static native void entries(long handle, byte[] type, Entries to) throws Tjzw.Failure;
    private static native byte[] act(long handle, byte[] type, byte[] json) throws Tjzw.Failure;
    private static native byte[] attach(long handle, byte[] path) throws Tjzw.Failure;
    private static native void letters(long handle, Letters to) throws Tjzw.Failure;
    private static native void answer(long handle, byte[] survey, byte[] answers) throws Tjzw.Failure;
}
