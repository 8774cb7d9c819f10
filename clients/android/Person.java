import cn.tjzw.Me;
import cn.tjzw.Tjzw;

/**
 * Somebody with a phone: java Person STORE URL CACERT UNIT [LOGIN PASSWORD]. Makes the newest item a favourite and writes a letter while nobody has signed in and there is no
 * network; then signs in, if there is a name, exchanges all of it, and shows what is his.
 */
public final class Person {
    public static void main(String[] args) throws Exception {
        try (Tjzw phone = new Tjzw(args[0])) {
            Me me = phone.me();
            phone.follow(args[1], null, null, args[2]);
            phone.sync(60);
            write(phone, me, args[3]);
            System.out.println("waiting " + me.state().unsent);
            if (args.length > 5)
                System.out.println("step " + me.signInByPassword(args[4], args[5], null).kind);
            phone.sync(60);
            me.sync(60);
            show(me);
        } catch (Tjzw.Failure e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private static void write(Tjzw phone, Me me, String unit) throws Tjzw.Failure {
        String[] newest = new String[1];
        phone.list(null, 1, item -> {
            newest[0] = item.id;
            return false;
        });
        System.out.println("newest " + newest[0]);
        me.fav(newest[0], true);
        me.put("set", "font", "24");
        System.out.println("wrote " + me.act("letter.send", "{\"category\":\"fault\",\"unit\":\"" + unit + "\",\"title\":\"错字\",\"text\":\"第三行有一个错字😀\"}"));
    }

    private static void show(Me me) throws Tjzw.Failure {
        Me.State state = me.state();
        System.out.println("account " + state.account + " guest " + state.guest + " waiting " + state.unsent + " attention " + state.attention + " unread " + state.unread);
        Me.Entries print = entry -> {
            System.out.println(entry.type + " " + entry.key + " " + entry.value);
            return true;
        };
        me.entries("fav", print);
        me.entries("set", print);
        me.entries("message", print);
        me.letters(letter -> {
            System.out.println("letter " + letter.id + " " + letter.number + " receipt " + letter.receiptState + " " + letter.sent);
            return true;
        });
    }
}
