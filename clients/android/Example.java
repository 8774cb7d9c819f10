import cn.tjzw.Tjzw;

/**
 * Follows a server and shows the newest items: java Example STORE URL [CACERT [WORDS]]. With HORIZON=n in the environment it holds the
 * newest n only, with FETCH=id it fetches an older one, with BACKGROUND=seconds it syncs as in the background.
 */
public final class Example {
    public static void main(String[] args) throws Exception {
        try (Tjzw phone = new Tjzw(args[0])) {
            phone.follow(args[1], null, null, args.length > 2 ? args[2] : null);
            String horizon = System.getenv("HORIZON"), older = System.getenv("FETCH"), slot = System.getenv("BACKGROUND");
            if (horizon != null)
                phone.horizon(null, Long.parseLong(horizon));
            Tjzw.Synced done = slot != null ? phone.background(Integer.parseInt(slot)) : phone.sync(60);
            if (older != null) {
                phone.fetch(older, 60);
                phone.keep(older, true);
            }
            if (done.skipped)
                System.out.println("not before " + done.wait + " seconds");
            System.out.println("synced " + done.cursor + " " + done.requests + " requests");
            Tjzw.Items show = item -> {
                System.out.println(item.id + " " + item.title);
                return true;
            };
            if (args.length > 3)
                phone.search(args[3], 1000, show);
            else
                phone.list(null, 1000000, show);
        } catch (Tjzw.Failure e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }
}
