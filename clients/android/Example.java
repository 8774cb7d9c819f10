import cn.tjzw.Tjzw;

/** Follows a server and shows the newest items: java Example STORE URL [CACERT [WORDS]] */
public final class Example {
    public static void main(String[] args) throws Exception {
        try (Tjzw phone = new Tjzw(args[0])) {
            phone.follow(args[1], null, null, args.length > 2 ? args[2] : null);
            Tjzw.Synced done = phone.sync(60);
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
