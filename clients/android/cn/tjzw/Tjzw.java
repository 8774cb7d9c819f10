package cn.tjzw;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * libtjzw for Java and Android: public notices kept on the phone, verified, readable without a network.
 *
 * <p>One handle is used by one thread at a time; only {@link #stop} may be called from any. Reading
 * never touches the network, so it may be done on the main thread; {@link #sync} may not. Text goes
 * over the border as UTF-8 bytes, because JNI's own strings cannot hold every character.
 */
public final class Tjzw implements AutoCloseable {
    static {
        System.loadLibrary("tjzw_jni");
    }

    /** What went wrong. The message is Chinese, for the person who holds the phone. */
    public static final class Failure extends Exception {
        private static final long serialVersionUID = 1;
        /** enum tjzw_code of tjzw.h; stable. */
        public final int code;
        /** English, for logs. */
        public final String detail;

        Failure(int code, byte[] text, byte[] detail) {
            super(new String(text, UTF_8));
            this.code = code;
            this.detail = new String(detail, UTF_8);
        }
    }

    /** A published item. {@code json} is null in lists and searches. */
    public static final class Item {
        public final String id, stream, site, column, title, json;
        /** Seconds since 1970 UTC. */
        public final long date;

        Item(byte[] id, byte[] stream, byte[] site, byte[] column, long date, byte[] title, byte[] json) {
            this.id = new String(id, UTF_8);
            this.stream = new String(stream, UTF_8);
            this.site = new String(site, UTF_8);
            this.column = new String(column, UTF_8);
            this.date = date;
            this.title = new String(title, UTF_8);
            this.json = json == null ? null : new String(json, UTF_8);
        }
    }

    /** Return false to see no more. */
    public interface Items {
        boolean item(Item item);
    }

    /** How a sync ended. */
    public static final class Synced {
        /** There is something new to show. */
        public final boolean changed;
        /** A key was trusted because it was the first met: show its fingerprint. */
        public final boolean firstUse;
        /** What was held did not add up; what differed was fetched. */
        public final boolean repaired;
        /** background: it was not time yet, and nothing was asked. */
        public final boolean skipped;
        /** background: time was up; what came is kept for the next time. */
        public final boolean unfinished;
        public final String trust, cursor;
        public final long requests, bytesDown, milliseconds;
        /** Seconds the server asks to wait before the next one. */
        public final long wait;

        Synced(boolean changed, boolean firstUse, boolean repaired, boolean skipped, boolean unfinished, byte[] trust, byte[] cursor, long requests, long bytesDown,
                long milliseconds, long wait) {
            this.changed = changed;
            this.firstUse = firstUse;
            this.repaired = repaired;
            this.skipped = skipped;
            this.unfinished = unfinished;
            this.trust = new String(trust, UTF_8);
            this.cursor = new String(cursor, UTF_8);
            this.requests = requests;
            this.bytesDown = bytesDown;
            this.milliseconds = milliseconds;
            this.wait = wait;
        }
    }

    private long handle;

    /** Opens the store, creating or migrating it. */
    public Tjzw(String path) throws Failure {
        handle = open(path.getBytes(UTF_8));
    }

    /** Follows a stream of a server. {@code stream}, {@code trust} and {@code cacert} may be null. */
    public void follow(String url, String stream, String trust, String cacert) throws Failure {
        follow(handle(), bytes(url), bytes(stream), bytes(trust), bytes(cacert));
    }

    /** Brings the store to the newest signed state within {@code seconds} (0: no limit), or leaves what is shown as it was. */
    public Synced sync(int seconds) throws Failure {
        return sync(handle(), seconds);
    }

    /** For a WorkManager or JobScheduler slot: all streams that are due, for at most {@code seconds}, in little memory. */
    public Synced background(int seconds) throws Failure {
        return background(handle(), seconds);
    }

    /** Hold at least the newest {@code items} of a stream (null: "main"); 0: all. The next sync brings it about. */
    public void horizon(String stream, long items) throws Failure {
        horizon(handle(), bytes(stream), items);
    }

    /** A favourite is kept whatever the horizon. */
    public void keep(String id, boolean keep) throws Failure {
        keep(handle(), bytes(id), keep);
    }

    /** Fetches an item from below the horizon, proves it, and keeps it. */
    public Synced fetch(String id, int seconds) throws Failure {
        return fetch(handle(), bytes(id), seconds);
    }

    /** Newest first. {@code column} may be null: all. */
    public void list(String column, int most, Items to) throws Failure {
        list(handle(), bytes(column), most, to);
    }

    public void search(String words, int most, Items to) throws Failure {
        search(handle(), bytes(words), most, to);
    }

    /** The item with its record, or null if it is not published (any more). */
    public Item read(String id) throws Failure {
        Item[] found = new Item[1];
        read(handle(), bytes(id), item -> {
            found[0] = item;
            return false;
        });
        return found[0];
    }

    /** What belongs to the person who holds this phone. */
    public Me me() {
        return new Me(this);
    }

    /** Makes a running sync end soon. From any thread; not after close. */
    public void stop() {
        stop(handle());
    }

    @Override
    public void close() {
        if (handle != 0)
            close(handle);
        handle = 0;
    }

    long handle() {
        if (handle == 0)
            throw new IllegalStateException("closed");
        return handle;
    }

    private static byte[] bytes(String s) {
        return s == null ? null : s.getBytes(UTF_8);
    }

    private static native long open(byte[] path) throws Failure;
    private static native void close(long handle);
    private static native void follow(long handle, byte[] url, byte[] stream, byte[] trust, byte[] cacert) throws Failure;
    private static native Synced sync(long handle, int seconds) throws Failure;
    private static native Synced background(long handle, int seconds) throws Failure;
    private static native void horizon(long handle, byte[] stream, long items) throws Failure;
    private static native void keep(long handle, byte[] id, boolean keep) throws Failure;
    private static native Synced fetch(long handle, byte[] id, int seconds) throws Failure;
    private static native void list(long handle, byte[] column, int most, Items to) throws Failure;
    private static native void search(long handle, byte[] words, int most, Items to) throws Failure;
    private static native void read(long handle, byte[] id, Items to) throws Failure;
    private static native void stop(long handle);
}
