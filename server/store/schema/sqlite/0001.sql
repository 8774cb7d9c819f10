-- Schema version 1 for SQLite. schema/pg/0001.sql is the same for PostgreSQL: BLOB is BYTEA, INTEGER is BIGINT, and WITHOUT ROWID goes.
-- Times are seconds since 1970 UTC. Hashes are 32 raw bytes, item ids 16.

-- One change log. This server's own streams have a key file; a mirrored one has none.
CREATE TABLE stream (
    no        INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    epoch     INTEGER NOT NULL,           -- docs/protocol/sync.md section 1
    seq       INTEGER NOT NULL DEFAULT 0, -- of the last change
    born      INTEGER NOT NULL DEFAULT 0, -- items ever published: the next born
    cut       INTEGER NOT NULL DEFAULT 0, -- takedowns and purges so far
    chain     BLOB    NOT NULL,           -- hash chain at seq
    index_seq INTEGER NOT NULL DEFAULT 0, -- seq that the newest index stands for
    index_hash BLOB,                      -- its name; NULL: none yet
    mirrored  INTEGER NOT NULL DEFAULT 0, -- 1: another server's; its heads come from there
    live      INTEGER NOT NULL DEFAULT 0  -- items that are published now
);

-- Since first_seq the log belongs to epoch.
CREATE TABLE ancestry (
    stream    INTEGER NOT NULL,
    epoch     INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    PRIMARY KEY (stream, epoch)
) WITHOUT ROWID;

-- Signed heads, stored before they are served.
CREATE TABLE head (
    stream INTEGER NOT NULL,
    epoch  INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    sign   INTEGER NOT NULL,
    time   INTEGER NOT NULL,
    cut    INTEGER NOT NULL,
    chain  BLOB    NOT NULL,
    note   BLOB    NOT NULL, -- the text as served
    PRIMARY KEY (stream, epoch, seq, sign)
) WITHOUT ROWID;

-- Small objects of the sync protocol that are not files: ancestry, directory, index, withheld. Two streams may hold the same.
CREATE TABLE sync_object (
    hash   BLOB    NOT NULL,
    stream INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    made   INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (hash, stream)
) WITHOUT ROWID;

-- The list of streams that the platform signed last: one row, number 1.
CREATE TABLE heads (
    no      INTEGER PRIMARY KEY,
    counter INTEGER NOT NULL,
    note    BLOB    NOT NULL -- the signed text, without the streams' own heads
);

-- Items of a stream that this server does not show.
CREATE TABLE withheld (
    stream INTEGER NOT NULL,
    id     BLOB    NOT NULL,
    PRIMARY KEY (stream, id)
) WITHOUT ROWID;

-- Streams of other servers that we follow: server/channel/mirror.c.
CREATE TABLE mirror (
    stream  INTEGER NOT NULL PRIMARY KEY,
    url     TEXT    NOT NULL, -- of the server, without a slash at its end
    trust   BLOB,             -- its platform key; NULL: the first one met is believed
    cacert  TEXT,             -- PEM file; NULL: what this machine trusts
    created INTEGER NOT NULL
) WITHOUT ROWID;

-- What the pull engine keeps of a followed stream: enum follow_value of sync/follow.h.
CREATE TABLE mirror_value (
    stream INTEGER NOT NULL,
    which  INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (stream, which)
) WITHOUT ROWID;

-- Its tree, as the pull engine stores it: 64 nodes each.
CREATE TABLE mirror_tile (
    stream INTEGER NOT NULL,
    level  INTEGER NOT NULL,
    place  INTEGER NOT NULL,
    nodes  BLOB    NOT NULL,
    PRIMARY KEY (stream, level, place)
) WITHOUT ROWID;

-- Files that its records name and that are to be fetched yet: server/channel/mirror_files.c.
CREATE TABLE mirror_file (
    stream INTEGER NOT NULL,
    hash   BLOB    NOT NULL,
    due    INTEGER NOT NULL,
    tries  INTEGER NOT NULL,
    PRIMARY KEY (stream, hash)
) WITHOUT ROWID;
CREATE INDEX mirror_file_by_due ON mirror_file (stream, due);
CREATE INDEX mirror_file_by_hash ON mirror_file (hash);

-- What each object of a stored index is made of: enough to make the same bytes again from the log.
CREATE TABLE index_object (
    stream      INTEGER NOT NULL,
    hash        BLOB    NOT NULL,
    kind        INTEGER NOT NULL, -- 0 base, 1 layer
    first_born  INTEGER NOT NULL,
    last_born   INTEGER NOT NULL,
    lowest_seq  INTEGER NOT NULL,
    highest_seq INTEGER NOT NULL,
    as_of_seq   INTEGER NOT NULL, -- each item's newest change up to there
    upto_seq    INTEGER NOT NULL, -- of those, the ones up to there
    spans       BLOB    NOT NULL, -- and in which ranges of born, after which seq: sync/recipe.h
    level       INTEGER NOT NULL, -- of compression
    bytes       INTEGER NOT NULL,
    gzip_bytes  INTEGER NOT NULL,
    zstd_bytes  INTEGER NOT NULL,
    live        INTEGER NOT NULL, -- base: bytes of its items' newest records; layer: 0
    PRIMARY KEY (hash, stream)
);
CREATE INDEX index_object_by_stream ON index_object (stream);

-- Objects of every kind that were served once and never will be again: purged, or superseded long ago. Kept for ever.
CREATE TABLE gone_object (
    hash   BLOB NOT NULL PRIMARY KEY,
    stream INTEGER NOT NULL,
    at     INTEGER NOT NULL
) WITHOUT ROWID;

-- Organisations: who publishes. Regions are GB/T 2260 and its street and village extensions.
CREATE TABLE org (
    no     INTEGER PRIMARY KEY,
    code   TEXT NOT NULL UNIQUE, -- unified social credit code, or a name we were given
    name   TEXT NOT NULL,
    region TEXT,                 -- 6, 9 or 12 digits
    parent INTEGER
);

CREATE TABLE site (
    no      INTEGER PRIMARY KEY, -- a number in the stream's directory; never used twice
    stream  INTEGER NOT NULL,
    code    TEXT    NOT NULL UNIQUE, -- SiteIDCode of 10 digits where there is one, else a short name
    name    TEXT    NOT NULL,
    domain  TEXT,
    org     INTEGER,
    state   TEXT    NOT NULL DEFAULT 'open', -- open, closed
    created INTEGER NOT NULL,
    remote  INTEGER,             -- its number in a mirrored stream's directory; NULL: our own
    UNIQUE (stream, remote)
);

-- 栏目. `path` is the names from the root, joined by '/', unique in its site.
CREATE TABLE site_column (
    no          INTEGER PRIMARY KEY, -- a number in the stream's directory; never used twice
    site        INTEGER NOT NULL,
    parent      INTEGER NOT NULL DEFAULT 0, -- 0: top level
    name        TEXT    NOT NULL,
    path        TEXT    NOT NULL,
    type        TEXT    NOT NULL, -- ColumnType of 国办发〔2017〕47号
    description TEXT,
    keywords    TEXT,
    period_days INTEGER NOT NULL DEFAULT 0, -- must be updated within; 0: no rule
    position    INTEGER NOT NULL DEFAULT 0,
    state       TEXT    NOT NULL DEFAULT 'open',
    created     INTEGER NOT NULL,
    remote      INTEGER,               -- its number in a mirrored stream's directory; NULL: our own
    UNIQUE (site, path),
    UNIQUE (site, remote)
);

-- An item is a thing that is published, in all its revisions.
CREATE TABLE item (
    id        BLOB    NOT NULL PRIMARY KEY,
    stream    INTEGER NOT NULL,
    born      INTEGER,            -- NULL until first published
    site      INTEGER NOT NULL,
    col       INTEGER NOT NULL,
    kind      TEXT    NOT NULL,   -- article, policy, notice, message, faq, guide
    state     TEXT    NOT NULL,   -- of the newest revision: server/library/state.c
    rev       INTEGER NOT NULL,   -- the newest revision
    live_rev  INTEGER,            -- the published revision; NULL: not published
    seq       INTEGER,            -- its last change; NULL until first published
    authority TEXT    NOT NULL,   -- who alone may revise it
    origin_id TEXT,               -- its name at the authority
    content_hash BLOB NOT NULL,   -- of the newest revision's content: an import that changes nothing is seen by it
    title     TEXT    NOT NULL,   -- of the live revision, else of the newest
    summary   TEXT,
    date      INTEGER NOT NULL,   -- the date lists are sorted by
    published INTEGER,            -- first publication here: server time, never changed
    updated   INTEGER,            -- last publication of a revision
    expires   INTEGER,            -- NULL: never
    created   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX item_origin ON item (authority, origin_id) WHERE origin_id IS NOT NULL;
CREATE UNIQUE INDEX item_born ON item (stream, born) WHERE born IS NOT NULL;
CREATE INDEX item_by_column ON item (col, date, born) WHERE live_rev IS NOT NULL;
CREATE INDEX item_by_site ON item (site, date, born) WHERE live_rev IS NOT NULL;
CREATE INDEX item_by_stream ON item (stream, date, born) WHERE live_rev IS NOT NULL;
CREATE INDEX item_by_date ON item (date, born, stream) WHERE live_rev IS NOT NULL;
CREATE INDEX item_by_state ON item (state, created);
CREATE INDEX item_expiring ON item (expires) WHERE expires IS NOT NULL AND live_rev IS NOT NULL;

-- Immutable once published. A draft's content stands here; a published revision's text is the record of its seq.
-- Once withdrawn, it stands here again.
CREATE TABLE revision (
    item        BLOB    NOT NULL,
    rev         INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    content     BLOB,              -- canonical JSON of the editable fields; NULL while published
    seq         INTEGER,           -- the change that published it
    update_type TEXT    NOT NULL,  -- major, minor, republish
    note        TEXT,              -- what changed, for readers
    author      TEXT    NOT NULL,
    created     INTEGER NOT NULL,
    PRIMARY KEY (item, rev)
) WITHOUT ROWID;

-- Who moved a revision from which state to which, and why.
CREATE TABLE revision_event (
    no     INTEGER PRIMARY KEY,
    item   BLOB    NOT NULL,
    rev    INTEGER NOT NULL,
    verb   TEXT    NOT NULL,
    before TEXT    NOT NULL,
    after  TEXT    NOT NULL,
    actor  TEXT    NOT NULL,
    reason TEXT,
    at     INTEGER NOT NULL
);
CREATE INDEX revision_event_by_item ON revision_event (item, rev);

-- What the rules of server/check said of a revision at a step, the newest run of each: places and rules, no text. It goes with the revision's text.
CREATE TABLE check_result (
    item       BLOB    NOT NULL,
    rev        INTEGER NOT NULL,
    step       INTEGER NOT NULL, -- of enum check_step
    no         INTEGER NOT NULL,
    rule       TEXT    NOT NULL, -- its name in rule.def
    version    INTEGER NOT NULL,
    severity   TEXT    NOT NULL,
    field      TEXT    NOT NULL,
    place_from INTEGER NOT NULL, -- code points of the field
    place_to   INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (item, rev, step, no)
) WITHOUT ROWID;

-- How severe a rule is at a site, where that is not rule.def's.
CREATE TABLE site_rule (
    site     INTEGER NOT NULL,
    rule     TEXT    NOT NULL,
    severity TEXT    NOT NULL,
    PRIMARY KEY (site, rule)
) WITHOUT ROWID;

-- How a site reviews what it publishes; a site without a row has one step, by right: server/library/chain.c.
CREATE TABLE site_chain (
    site      INTEGER PRIMARY KEY,
    steps     INTEGER NOT NULL, -- 1 to 3
    secrecy   TEXT    NOT NULL, -- none, last, publish: before what the secrecy review must stand
    eyes      INTEGER NOT NULL  -- 1 or 2 people take something down
);
CREATE TABLE site_reviewer (
    site  INTEGER NOT NULL,
    step  INTEGER NOT NULL, -- 0: the secrecy review
    actor TEXT    NOT NULL, -- account:7, or the word of a role
    PRIMARY KEY (site, step, actor)
) WITHOUT ROWID;

-- What reviewers decided and said of a revision: server/library/review.c. What they said goes with the revision's text.
CREATE TABLE review (
    no      INTEGER PRIMARY KEY,
    item    BLOB    NOT NULL,
    rev     INTEGER NOT NULL,
    site    INTEGER NOT NULL, -- for which it was decided
    step    INTEGER NOT NULL, -- 1 to 3; 0: no step of the chain
    verdict TEXT    NOT NULL, -- pass, secrecy, return, comment
    actor   TEXT    NOT NULL,
    behind  TEXT    NOT NULL, -- the human being: account:7; empty: nobody that is known
    said    TEXT,
    basis   TEXT,             -- of the secrecy review
    valid   INTEGER NOT NULL, -- 0: handed back since
    at      INTEGER NOT NULL
);
CREATE INDEX review_by_item ON review (item, rev);

-- A takedown that somebody asked for and somebody else has to confirm: server/library/eyes.c.
CREATE TABLE takedown_ask (
    item   BLOB    PRIMARY KEY,
    rev    INTEGER NOT NULL, -- the published one
    verb   TEXT    NOT NULL, -- withdraw, gone
    actor  TEXT    NOT NULL,
    behind TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    at     INTEGER NOT NULL
) WITHOUT ROWID;

-- When an approved revision is to be published: server/library/schedule.c.
CREATE TABLE schedule (
    item  BLOB    PRIMARY KEY,
    rev   INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    actor TEXT    NOT NULL, -- who set it
    made  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX schedule_by_time ON schedule (at);

-- The change log: one row a change, numbered last in its transaction, never edited. The frame of docs/protocol/sync.md section 2 is made of it.
CREATE TABLE change (
    stream INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    born   INTEGER NOT NULL,
    item   BLOB    NOT NULL,
    rev    INTEGER NOT NULL,
    op     INTEGER NOT NULL,
    flags  INTEGER NOT NULL,
    site   INTEGER NOT NULL,
    col    INTEGER NOT NULL,
    date   INTEGER NOT NULL,
    title  TEXT    NOT NULL,
    length INTEGER NOT NULL,
    digest BLOB    NOT NULL, -- SHA-256 of the record's bytes
    chain  BLOB    NOT NULL, -- hash chain at this seq
    at     INTEGER NOT NULL,
    PRIMARY KEY (stream, seq)
) WITHOUT ROWID;
CREATE INDEX change_by_born ON change (stream, born, seq);

-- The record's bytes, apart so that the log stays narrow. A purge removes rows here and never there.
CREATE TABLE record (
    stream INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    bytes  BLOB    NOT NULL,
    PRIMARY KEY (stream, seq)
);

-- The tree's leaves: the newest change of each item.
CREATE TABLE leaf (
    stream INTEGER NOT NULL,
    born   INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    hash   BLOB    NOT NULL,
    PRIMARY KEY (stream, born)
) WITHOUT ROWID;

-- Pictures and attachments of a revision; the bytes are files named by their hash.
CREATE TABLE attachment (
    item     BLOB    NOT NULL,
    rev      INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    name     TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    size     INTEGER NOT NULL,
    PRIMARY KEY (item, rev, position)
) WITHOUT ROWID;
CREATE INDEX attachment_by_hash ON attachment (hash);

-- Programs of others: server/identity/party.c.
CREATE TABLE party (
    no           INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: sessions and logs name it
    id           TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    owner        INTEGER NOT NULL, -- an account; 0: who runs this server
    kind         INTEGER NOT NULL, -- enum party_kind
    open         INTEGER NOT NULL,
    created      INTEGER NOT NULL,
    redirects    TEXT    NOT NULL, -- from here on: as an OpenID client (grant_client.h). A line an address
    logouts      TEXT    NOT NULL,
    ways         INTEGER NOT NULL,
    scopes       INTEGER NOT NULL,
    ceiling      INTEGER NOT NULL,
    sector       TEXT    NOT NULL,
    confidential INTEGER NOT NULL
);

-- What they may do.
CREATE TABLE party_right (
    party  INTEGER NOT NULL,
    site   INTEGER NOT NULL, -- 0: all
    rights INTEGER NOT NULL,
    PRIMARY KEY (party, site)
) WITHOUT ROWID;

-- What they show: server/identity/party_key.c.
CREATE TABLE party_key (
    no         INTEGER PRIMARY KEY AUTOINCREMENT,
    party      INTEGER NOT NULL,
    hash       BLOB    NOT NULL UNIQUE, -- BLAKE2b-256 of the key
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    per_minute INTEGER NOT NULL, -- requests
    per_day    INTEGER NOT NULL,
    used       INTEGER NOT NULL, -- about: memory knows better
    day        INTEGER NOT NULL, -- since 1970 in Beijing …
    spent      INTEGER NOT NULL  -- … and how many requests on it
);
CREATE INDEX party_key_by_party ON party_key (party);

-- Their last requests, in a ring of slots each: server/identity/party_log.c.
CREATE TABLE party_request (
    party  INTEGER NOT NULL,
    slot   INTEGER NOT NULL, -- no modulo its size
    no     INTEGER NOT NULL,
    at     INTEGER NOT NULL, -- ms
    key    INTEGER NOT NULL, -- 0: a session's
    method TEXT    NOT NULL,
    route  TEXT    NOT NULL, -- as the table of routes has it
    status INTEGER NOT NULL,
    ms     INTEGER NOT NULL,
    PRIMARY KEY (party, slot)
) WITHOUT ROWID;
CREATE INDEX party_request_by_no ON party_request (party, no);

-- Whom a team key reaches: server/identity/party_reach.c.
CREATE TABLE party_team (
    party   INTEGER NOT NULL,
    account INTEGER NOT NULL,
    PRIMARY KEY (party, account)
) WITHOUT ROWID;
CREATE INDEX party_team_by_account ON party_team (account);

-- What was tried, and taken back: server/identity/party_sandbox.c.
CREATE TABLE party_sandbox (
    no      INTEGER PRIMARY KEY AUTOINCREMENT, -- "shown" is sealed for it
    party   INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    method  TEXT    NOT NULL,
    route   TEXT    NOT NULL, -- as the table of routes has it
    status  INTEGER NOT NULL,
    account INTEGER NOT NULL, -- whom it would have reached; 0: nobody by name
    kind    TEXT    NOT NULL, -- the type of entry; "answer": what was answered
    cut     INTEGER NOT NULL, -- it was longer
    shown   BLOB              -- sealed; NULL: it was taken back from him
);
CREATE INDEX party_sandbox_by_party ON party_sandbox (party, no);
CREATE INDEX party_sandbox_by_account ON party_sandbox (account) WHERE account > 0;
CREATE INDEX party_sandbox_by_time ON party_sandbox (at);

-- Persons and organisations: server/identity/account.c. What says who it is, is sealed.
CREATE TABLE account (
    id       INTEGER PRIMARY KEY AUTOINCREMENT, -- stands in the audit log: never used twice
    kind     INTEGER NOT NULL, -- enum account_kind
    state    INTEGER NOT NULL, -- enum account_state
    state_at INTEGER NOT NULL, -- since when
    level    INTEGER NOT NULL, -- acr 1 to 4: how well it was ever known who this is
    level_by TEXT,             -- whose word that is
    level_at INTEGER,
    subject  BLOB    NOT NULL, -- random: what others are told follows from it
    name     BLOB,             -- sealed
    password TEXT,             -- argon2id; NULL: none
    password_at INTEGER,
    created  INTEGER NOT NULL,
    merged   INTEGER           -- the account it went into
);
CREATE INDEX account_by_kind ON account (kind, id);
CREATE INDEX account_by_merged ON account (merged);
CREATE INDEX account_by_state ON account (state, state_at);

-- What an account is found by: server/identity/identifier.c.
CREATE TABLE identifier (
    kind    TEXT    NOT NULL,
    find    BLOB    NOT NULL, -- blind index of the value
    account INTEGER NOT NULL,
    value   BLOB    NOT NULL, -- sealed
    proved  INTEGER NOT NULL, -- when it was last proved
    PRIMARY KEY (kind, find)
) WITHOUT ROWID;
CREATE INDEX identifier_by_account ON identifier (account, kind);

-- Who may act for an organisation: server/identity/acting.c.
CREATE TABLE acting (
    person       INTEGER NOT NULL,
    organisation INTEGER NOT NULL,
    giver        TEXT    NOT NULL, -- the actor's name
    since        INTEGER NOT NULL,
    until        INTEGER NOT NULL,
    PRIMARY KEY (person, organisation)
) WITHOUT ROWID;
CREATE INDEX acting_by_organisation ON acting (organisation, person);

-- Second factors: server/identity/factor.c.
CREATE TABLE factor (
    no         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL,
    kind       INTEGER NOT NULL, -- enum factor_kind
    name       TEXT    NOT NULL, -- as its owner calls it
    secret     BLOB,             -- TOTP: sealed
    credential BLOB    UNIQUE,   -- passkey: its name
    pubkey     BLOB,             -- … its key, SubjectPublicKeyInfo
    alg        INTEGER NOT NULL,
    flags      INTEGER NOT NULL, -- 1: its owner was verified; 2: it may be backed up
    last       INTEGER NOT NULL, -- TOTP: step of the last code; passkey: its counter
    created    INTEGER NOT NULL,
    used       INTEGER NOT NULL
);
CREATE INDEX factor_by_account ON factor (account, no);

-- Links that make staff, until they are used or over: server/identity/invite.c.
CREATE TABLE invite (
    hash    BLOB    NOT NULL PRIMARY KEY,
    role    TEXT,             -- what the new member will hold; NULL: nothing yet
    site    INTEGER NOT NULL, -- where; 0: everywhere
    giver   TEXT    NOT NULL, -- the actor's name
    trusted INTEGER NOT NULL, -- 1: made on the machine
    until   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX invite_by_age ON invite (until);

-- Signed-in devices: one row each, however often their tokens are exchanged. server/identity/session.c.
CREATE TABLE session (
    id                 INTEGER PRIMARY KEY, -- random, above 0: it stands in the tokens
    account            INTEGER NOT NULL,
    party              INTEGER NOT NULL, -- the program that it is for; 0: our own apps and pages
    scopes             INTEGER NOT NULL, -- … and what it may know
    acting             INTEGER NOT NULL, -- the organisation that he acts for by it (acting.c); 0: none
    opener             INTEGER NOT NULL, -- … and the session that it was begun by, which it ends with
    machine            INTEGER NOT NULL, -- of staff: the number of its device (staff_device.c); 0: none
    kind               INTEGER NOT NULL,
    proofs             INTEGER NOT NULL, -- how he proved who he is
    level              INTEGER NOT NULL, -- acr
    device             TEXT    NOT NULL,
    network            BLOB,             -- where it came from last: sealed
    created            INTEGER NOT NULL,
    authenticated      INTEGER NOT NULL,
    used               INTEGER NOT NULL, -- about: memory knows better
    over               INTEGER NOT NULL, -- when it ends if nothing more is heard of it
    ends               INTEGER NOT NULL, -- … and in any case
    generation         INTEGER NOT NULL, -- of the newest refresh token
    exchanged          INTEGER NOT NULL, -- when it was given out, ms
    seed               BLOB    NOT NULL, -- what its secret was made with
    refresh            BLOB    NOT NULL, -- BLAKE2b-256 of its secret
    before             BLOB    NOT NULL, -- … of the one it was exchanged for
    access             BLOB    NOT NULL,
    access_ends        INTEGER NOT NULL,
    access_before      BLOB    NOT NULL,
    access_before_ends INTEGER NOT NULL
);
CREATE INDEX session_by_account ON session (account);
CREATE INDEX session_by_over ON session (over);
CREATE INDEX session_by_acting ON session (acting) WHERE acting > 0;
CREATE INDEX session_by_opener ON session (opener) WHERE opener > 0;
CREATE INDEX session_by_party ON session (party) WHERE party > 0;
CREATE INDEX session_by_machine ON session (machine) WHERE machine <> 0;

-- What members of staff may do: server/identity/role.c.
CREATE TABLE role (
    account INTEGER NOT NULL,
    site    INTEGER NOT NULL, -- 0: all
    role    INTEGER NOT NULL, -- enum role
    giver   TEXT    NOT NULL, -- who gave it
    since   INTEGER NOT NULL,
    PRIMARY KEY (account, site, role)
) WITHOUT ROWID;

-- From which devices staff may work, where a list is set: server/identity/staff_device.c.
CREATE TABLE staff_device (
    site    INTEGER NOT NULL, -- 0: all
    machine INTEGER NOT NULL, -- what the device keeps (device_slip.h)
    name    TEXT    NOT NULL, -- as the administrator calls it
    giver   TEXT    NOT NULL, -- who listed it
    since   INTEGER NOT NULL,
    PRIMARY KEY (site, machine)
) WITHOUT ROWID;

-- What a person allowed a party, until it is fetched: server/identity/grant_code.c.
CREATE TABLE grant_code (
    hash          BLOB    NOT NULL PRIMARY KEY, -- BLAKE2b-256 of the code
    party         INTEGER NOT NULL,
    account       INTEGER NOT NULL,
    kind          INTEGER NOT NULL, -- of the session that it will give, with what follows
    level         INTEGER NOT NULL,
    proofs        INTEGER NOT NULL,
    authenticated INTEGER NOT NULL,
    scopes        INTEGER NOT NULL,
    redirect      TEXT    NOT NULL,
    challenge     BLOB    NOT NULL,
    nonce         TEXT,
    made          INTEGER NOT NULL,
    given         INTEGER NOT NULL -- the session that it gave; 0: it was not used
) WITHOUT ROWID;
CREATE INDEX grant_code_by_age ON grant_code (made);

-- Devices without a keyboard that wait for a person: server/identity/device_grant.c.
CREATE TABLE device_grant (
    hash          BLOB    NOT NULL PRIMARY KEY, -- BLAKE2b-256 of the device code
    user_code     TEXT    NOT NULL UNIQUE,
    party         INTEGER NOT NULL,
    scopes        INTEGER NOT NULL,
    level         INTEGER NOT NULL, -- acr at least
    made          INTEGER NOT NULL,
    state         INTEGER NOT NULL,
    pause         INTEGER NOT NULL, -- seconds between two questions
    asked         INTEGER NOT NULL, -- when the device asked last
    account       INTEGER NOT NULL, -- who allowed it, with what follows; 0: nobody yet
    kind          INTEGER NOT NULL,
    reached       INTEGER NOT NULL,
    proofs        INTEGER NOT NULL,
    authenticated INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX device_grant_by_age ON device_grant (made);

-- What a person allowed a party to know: server/identity/consent.c.
CREATE TABLE consent (
    account INTEGER NOT NULL,
    party   INTEGER NOT NULL,
    scopes  INTEGER NOT NULL,
    given   INTEGER NOT NULL,
    subject TEXT,            -- the `sub` by which the party knows him
    PRIMARY KEY (account, party)
) WITHOUT ROWID;
CREATE INDEX consent_by_age ON consent (given);
CREATE INDEX consent_by_subject ON consent (party, subject);

-- What was done, by whom, with what result: server/identity/audit.c. Never edited; the oldest months go when they were kept their time.
CREATE TABLE audit (
    no      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    session INTEGER NOT NULL, -- 0: none
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL, -- a word of audit.def
    object  TEXT,
    result  TEXT    NOT NULL, -- ok, or why it was refused
    address BLOB,             -- sealed
    details TEXT,             -- JSON: numbers and words
    chain   BLOB    NOT NULL
);
CREATE INDEX audit_by_time ON audit (at, no);
CREATE INDEX audit_by_actor ON audit (actor, at, no);
CREATE INDEX audit_by_action ON audit (action, at, no);

-- Its newest row, once more and with a mac: one row, number 1.
CREATE TABLE audit_end (
    id    INTEGER PRIMARY KEY,
    no    INTEGER NOT NULL,
    chain BLOB    NOT NULL,
    mac   BLOB    NOT NULL
);

-- Its chain, signed: server/identity/audit_head.c.
CREATE TABLE audit_head (
    no   INTEGER NOT NULL,
    kind INTEGER NOT NULL, -- 0 head, 1 boundary
    note BLOB    NOT NULL,
    PRIMARY KEY (no, kind)
) WITHOUT ROWID;

-- Codes sent by SMS in the last 24 hours: server/identity/code.c. A row outlives its code, because it is counted.
CREATE TABLE code (
    no      INTEGER PRIMARY KEY,
    phone   BLOB    NOT NULL, -- blind index of the number
    purpose TEXT    NOT NULL,
    client  INTEGER NOT NULL, -- who asked, as a number that says nothing by itself
    hash    BLOB,             -- NULL: used, replaced, or guessed at too often
    tries   INTEGER NOT NULL,
    strange INTEGER NOT NULL, -- those of them by another client than who asked
    sent    INTEGER NOT NULL
);
CREATE INDEX code_by_phone ON code (phone, sent);
CREATE INDEX code_by_client ON code (client, sent);
CREATE INDEX code_by_age ON code (sent);

-- Which files of DATA/keys are needed to read what is here: server/identity/keyfile.c.
CREATE TABLE key_file (
    name  TEXT NOT NULL PRIMARY KEY,
    print BLOB NOT NULL -- 8 bytes of its hash; zeros: it may change
) WITHOUT ROWID;

-- What caches may still hold of a takedown, until the setting purge_hook was told: server/channel/purge_hook.c.
CREATE TABLE purge_url (
    no  INTEGER PRIMARY KEY,
    url TEXT    NOT NULL, -- the path, "/a/…"
    at  INTEGER NOT NULL
);

-- Files that a takedown leaves to nobody, until they are removed: server/library/takedown.c.
CREATE TABLE blob_drop (
    hash BLOB NOT NULL PRIMARY KEY
) WITHOUT ROWID;

-- A citizen's own state: server/citizen/entry.c, docs/protocol/state.md. One row a thing; tombstones stay for a while.
CREATE TABLE entry (
    account INTEGER NOT NULL,
    type    TEXT    NOT NULL, -- a name of sync/state.def
    key     TEXT    NOT NULL,
    seq     INTEGER NOT NULL, -- of its last change, in the account's order
    at      INTEGER NOT NULL, -- … and when that was
    gone    INTEGER NOT NULL, -- 1: removed
    value   TEXT,             -- canonical JSON; NULL: gone, or in the next
    sealed  BLOB,             -- the same, sealed
    needs   TEXT,             -- JSON: public content that it points at
    PRIMARY KEY (account, type, key)
) WITHOUT ROWID;
CREATE UNIQUE INDEX entry_by_seq ON entry (account, seq);
CREATE INDEX entry_gone ON entry (at) WHERE gone = 1;

-- The phones of a citizen: server/citizen/device.c.
CREATE TABLE device (
    account INTEGER NOT NULL,
    device  TEXT    NOT NULL, -- drawn by the phone
    n       INTEGER NOT NULL, -- of the last mutation that was taken
    acked   INTEGER NOT NULL, -- … of the last whose result the phone has written down
    seq     INTEGER NOT NULL, -- how far it has read
    heard   INTEGER NOT NULL, -- when it was heard of last, to a day
    PRIMARY KEY (account, device)
) WITHOUT ROWID;
CREATE INDEX device_by_heard ON device (heard);

-- What became of its mutations.
CREATE TABLE device_result (
    account INTEGER NOT NULL,
    device  TEXT    NOT NULL,
    n       INTEGER NOT NULL,
    hash    BLOB    NOT NULL, -- of the mutation
    body    TEXT,             -- the result, as it was told; NULL: the phone has it
    PRIMARY KEY (account, device, n)
) WITHOUT ROWID;

-- Of all states: one row, number 1. A restore begins a new one.
CREATE TABLE state_epoch (
    no    INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    base  INTEGER NOT NULL DEFAULT 0 -- an account without a row in `citizen` has come so far
);

-- How many of each type a citizen has.
CREATE TABLE entry_tally (
    account INTEGER NOT NULL,
    type    TEXT    NOT NULL,
    n       INTEGER NOT NULL,
    PRIMARY KEY (account, type)
) WITHOUT ROWID;

-- How far each account's own order has come.
CREATE TABLE citizen (
    account INTEGER PRIMARY KEY,
    seq     INTEGER NOT NULL, -- of its last change
    floor   INTEGER NOT NULL  -- tombstones up to there may be gone
);

-- Answers to mutations that carried an Idempotency-Key, kept for a day.
CREATE TABLE idempotency (
    no      INTEGER PRIMARY KEY,
    actor   TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    request BLOB    NOT NULL, -- hash of method, target and body
    status  INTEGER NOT NULL,
    type    TEXT    NOT NULL,
    body    BLOB,             -- sealed; NULL: there was none, or it is forgotten
    at      INTEGER NOT NULL,
    UNIQUE (actor, key)
);
CREATE INDEX idempotency_by_age ON idempotency (at);

-- 信件: docs/letters.md. `no` counts from 1 without a gap: the index of its receipt.
CREATE TABLE letter (
    no       INTEGER PRIMARY KEY,
    id       BLOB    NOT NULL UNIQUE,      -- the UUID that the writer's device drew
    account  INTEGER NOT NULL,             -- who wrote it; 0: nobody that we know (imported, or erased)
    number   TEXT    NOT NULL UNIQUE,      -- JB2026-000123
    category INTEGER NOT NULL,             -- server/citizen/letter_category.def
    unit     INTEGER NOT NULL,             -- the organisation that has it
    clerk    INTEGER NOT NULL DEFAULT 0,   -- the account of staff that it was assigned to
    state    TEXT    NOT NULL,             -- server/citizen/letter_verb.def
    hidden   INTEGER NOT NULL,             -- 1: the unit is not told who wrote
    public   INTEGER NOT NULL,             -- 1: the answer may be published
    complex  INTEGER NOT NULL DEFAULT 0,
    hash     BLOB    NOT NULL,             -- of what was sent, as the receipt has it
    body     BLOB,                         -- sealed: title, text, place, files; NULL: erased
    contact  BLOB,                         -- sealed: how the writer is reached; NULL: not given, or erased
    received INTEGER NOT NULL,
    due      INTEGER,                      -- the second at which the deadline is over; NULL: none runs
    left_days INTEGER NOT NULL DEFAULT 0,  -- working days that were left when the clock was stopped
    complete_by INTEGER,                   -- the second at which the time of a writer who was asked is over; NULL: he is not
    extended INTEGER NOT NULL DEFAULT 0,   -- working days that were added
    asked    INTEGER NOT NULL DEFAULT 0,   -- times that the writer was asked to complete it
    draft    INTEGER NOT NULL DEFAULT 0,   -- the step with the answer's draft; 0: none
    reviewed INTEGER NOT NULL DEFAULT 0,   -- 1: that draft may be sent
    rating   INTEGER NOT NULL DEFAULT 0,   -- 1 to 5; 0: none yet
    turn     INTEGER NOT NULL,             -- its place in the order of changes of all letters
    settled  INTEGER,                      -- when it was answered, refused or withdrawn; NULL: not yet
    origin   TEXT UNIQUE                   -- its name in the system that it came from: "party:heping/2023-17"
);
CREATE INDEX letter_by_account ON letter (account, received);
CREATE INDEX letter_by_unit ON letter (unit, due, no) WHERE due IS NOT NULL;
CREATE INDEX letter_by_due ON letter (due, no) WHERE due IS NOT NULL;
CREATE INDEX letter_by_turn ON letter (turn);
CREATE INDEX letter_by_unit_turn ON letter (unit, turn);
CREATE INDEX letter_of_state ON letter (state, no);
CREATE INDEX letter_of_unit_state ON letter (unit, state, no);
CREATE INDEX letter_by_state ON letter (state, settled);
CREATE INDEX letter_standing ON letter (no) WHERE due IS NULL AND state IN ('asked', 'consulting');
CREATE INDEX letter_by_complete ON letter (complete_by, no) WHERE complete_by IS NOT NULL;

-- What was done to a letter, in order.
CREATE TABLE letter_step (
    letter INTEGER NOT NULL,
    no     INTEGER NOT NULL,
    id     BLOB,                -- the UUID under which its writer's device asked for it; NULL: staff
    verb   TEXT    NOT NULL,
    state  TEXT    NOT NULL,    -- afterwards
    actor  TEXT    NOT NULL,    -- "writer", "account:7", "party:heping", "clock"
    unit   INTEGER NOT NULL,    -- that had it then
    at     INTEGER NOT NULL,
    text   BLOB,                -- sealed; NULL: none, or erased
    files  BLOB,                -- sealed: {"files":[…]} that came with it, as in the letter; NULL: none, or erased
    PRIMARY KEY (letter, no)
) WITHOUT ROWID;
CREATE UNIQUE INDEX letter_step_by_id ON letter_step (id) WHERE id IS NOT NULL;

-- Letters that a unit has no more: its own system, which keeps up by turns, hears of it.
CREATE TABLE letter_left (
    turn   INTEGER PRIMARY KEY, -- at which it went
    letter INTEGER NOT NULL,
    unit   INTEGER NOT NULL     -- that had it before
);
CREATE INDEX letter_left_by_unit ON letter_left (unit, turn);

-- An erased letter changed, so who keeps up hears that there is nothing in it any more.
CREATE TRIGGER letter_erased AFTER UPDATE OF account ON letter WHEN new.account = 0 AND old.account <> 0 BEGIN
    UPDATE letter_count SET last = last + 1 WHERE category = 0 AND year = 1;
    UPDATE letter SET turn = (SELECT last FROM letter_count WHERE category = 0 AND year = 1) WHERE no = new.no;
END;

-- Numbers given so far: of a category's letters in a year; category 0: letters and turns of all.
CREATE TABLE letter_count (
    category INTEGER NOT NULL,
    year     INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    PRIMARY KEY (category, year)
) WITHOUT ROWID;

-- Texts that staff of a unit use again.
CREATE TABLE letter_template (
    unit INTEGER NOT NULL,
    name TEXT    NOT NULL,
    text TEXT    NOT NULL,
    PRIMARY KEY (unit, name)
) WITHOUT ROWID;

-- Files that writers sent for their letters: server/citizen/letter_file.c.
CREATE TABLE letter_file (
    account INTEGER NOT NULL,
    find    BLOB    NOT NULL, -- keyed hash (server/base/seal.h) of the SHA-256 of what was sent
    kept    INTEGER,          -- its name below DATA/letters, drawn at random; NULL: it is not whole yet
    key     BLOB,             -- sealed for `kept`: the key of the file itself (server/citizen/sealed_file.h)
    size    INTEGER NOT NULL, -- of what was sent
    kind    INTEGER NOT NULL, -- enum file_kind
    at      INTEGER NOT NULL,
    letter  INTEGER,          -- that names it; NULL: none yet
    scan    INTEGER NOT NULL DEFAULT 0, -- 0: no scanner has looked at it, 1: clean, 2: infected, the bytes are gone (server/citizen/scan.h)
    tries   INTEGER NOT NULL DEFAULT 0, -- looks by a scanner that failed at this file
    again   INTEGER NOT NULL DEFAULT 0, -- not before this second
    PRIMARY KEY (account, find)
) WITHOUT ROWID;
CREATE UNIQUE INDEX letter_file_by_kept ON letter_file (kept) WHERE kept IS NOT NULL;
CREATE INDEX letter_file_orphan ON letter_file (at, kept, size) WHERE letter IS NULL;
CREATE INDEX letter_file_unscanned ON letter_file (again, at, kept) WHERE scan = 0 AND kept IS NOT NULL;

-- Reports of reads by phones that were taken: server/citizen/count_report.c. They say who sent them to nobody, and count once.
CREATE TABLE count_report (
    day INTEGER NOT NULL, -- the second at which it began in Beijing
    key INTEGER NOT NULL, -- a hash of the report's random name
    PRIMARY KEY (day, key)
) WITHOUT ROWID;

-- How often an item was read: server/citizen/count.c.
CREATE TABLE read_count (
    item    BLOB    NOT NULL,
    span    INTEGER NOT NULL, -- 0: that day; 1: the month that begins on it
    day     INTEGER NOT NULL,
    channel INTEGER NOT NULL, -- enum count_channel
    reads   INTEGER NOT NULL,
    apart   INTEGER NOT NULL, -- what was not plausible
    PRIMARY KEY (item, span, day, channel)
) WITHOUT ROWID;
CREATE INDEX read_count_by_day ON read_count (day, item);
CREATE INDEX read_count_daily ON read_count (day) WHERE span = 0;

-- Where messages to accounts stand (what they say is in entry), and until when: server/citizen/inbox.c.
CREATE TABLE inbox (
    account INTEGER NOT NULL,
    no      INTEGER NOT NULL, -- the key of its entry
    grp     TEXT,             -- an account gets at most one of a group
    expires INTEGER NOT NULL,
    gone    INTEGER NOT NULL, -- 1: withdrawn, or dropped on a page
    PRIMARY KEY (account, no)
) WITHOUT ROWID;
CREATE UNIQUE INDEX inbox_by_group ON inbox (grp, account) WHERE grp IS NOT NULL;
CREATE INDEX inbox_by_expiry ON inbox (expires);

-- 有用, 没用: server/citizen/vote.c counts the entries themselves.
CREATE INDEX entry_votes ON entry (key, value) WHERE type = 'vote' AND gone = 0;

-- Surveys are items; these are found among all the others.
CREATE INDEX item_survey ON item (date, born) WHERE kind = 'survey' AND live_rev IS NOT NULL;

-- Warnings are items too, of which few are published at a time.
CREATE INDEX item_warning ON item (date, born) WHERE kind = 'warning' AND live_rev IS NOT NULL;

-- What was answered to surveys: server/citizen/survey.c. One answer an account, or a browser; who it was goes with the account, and what he wrote.
CREATE TABLE survey_answer (
    no      INTEGER PRIMARY KEY AUTOINCREMENT, -- staff ask for those behind a number
    survey  BLOB    NOT NULL,
    account INTEGER,
    browser BLOB,             -- a hash of its cookie
    id      BLOB,             -- drawn by who sent it
    at      INTEGER NOT NULL,
    chosen  TEXT    NOT NULL, -- JSON: choices and ratings
    texts   BLOB              -- JSON: what was written, sealed
);
CREATE UNIQUE INDEX survey_answer_by_account ON survey_answer (survey, account) WHERE account IS NOT NULL;
CREATE UNIQUE INDEX survey_answer_by_browser ON survey_answer (survey, browser) WHERE browser IS NOT NULL;
CREATE UNIQUE INDEX survey_answer_by_id ON survey_answer (survey, id) WHERE id IS NOT NULL;
CREATE INDEX survey_answer_by_survey ON survey_answer (survey, no);
CREATE INDEX survey_answer_of_account ON survey_answer (account) WHERE account IS NOT NULL;
CREATE INDEX survey_answer_by_age ON survey_answer (at);

-- How often each choice was made.
CREATE TABLE survey_count (
    survey   BLOB    NOT NULL,
    question INTEGER NOT NULL, -- -1: all of the survey
    choice   INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (survey, question, choice)
) WITHOUT ROWID;

-- Where devices are reached, and what is known of them that an audience may ask: push/address.c, docs/push.md. A number is never used again: it is the device's place in every set.
CREATE TABLE push_address (
    no         INTEGER PRIMARY KEY AUTOINCREMENT,
    account    INTEGER NOT NULL,
    device     TEXT    NOT NULL, -- drawn by the phone
    session    INTEGER NOT NULL, -- by which it said so last, and with which it goes; 0: none
    transport  INTEGER NOT NULL, -- push/transport.def
    token_hash BLOB    NOT NULL, -- keyed
    token      BLOB    NOT NULL, -- sealed
    told       INTEGER NOT NULL, -- when the phone said so last
    traits     BLOB              -- the sets it stands in: numbers of push_trait, ascending, 4 bytes little-endian each; NULL: in none yet
);
CREATE UNIQUE INDEX push_address_by_device ON push_address (account, device);
CREATE UNIQUE INDEX push_address_by_token ON push_address (transport, token_hash);
CREATE INDEX push_address_by_told ON push_address (told);
CREATE INDEX push_address_by_session ON push_address (session);
-- Signed out, ended from another phone, over by the clock: whatever ends it, nothing more is shown there.
CREATE TRIGGER push_session_gone AFTER DELETE ON session BEGIN
    DELETE FROM push_address WHERE session = old.id;
END;

-- Those whose traits may be others now, and what stood in sets and is no more. Triggers write both, so that nobody forgets it.
CREATE TABLE push_dirty (
    no     INTEGER PRIMARY KEY,
    traits BLOB -- of one that is gone; NULL: it is there
);
CREATE TRIGGER push_address_new AFTER INSERT ON push_address BEGIN
    INSERT INTO push_dirty (no) VALUES (new.no) ON CONFLICT (no) DO NOTHING;
END;
CREATE TRIGGER push_address_moved AFTER UPDATE OF account, transport ON push_address BEGIN
    INSERT INTO push_dirty (no) VALUES (new.no) ON CONFLICT (no) DO NOTHING;
END;
CREATE TRIGGER push_address_gone AFTER DELETE ON push_address BEGIN
    INSERT INTO push_dirty (no, traits) VALUES (old.no, coalesce(old.traits, x'')) ON CONFLICT (no) DO UPDATE SET traits = excluded.traits;
END;
CREATE TRIGGER push_entry_new AFTER INSERT ON entry WHEN new.type IN ('follow', 'set', 'consent') BEGIN
    INSERT INTO push_dirty (no) SELECT no FROM push_address WHERE account = new.account ON CONFLICT (no) DO NOTHING;
END;
CREATE TRIGGER push_entry_other AFTER UPDATE OF value ON entry WHEN new.type IN ('follow', 'set', 'consent') BEGIN
    INSERT INTO push_dirty (no) SELECT no FROM push_address WHERE account = new.account ON CONFLICT (no) DO NOTHING;
END;

-- The number of each trait: push/trait.c.
CREATE TABLE push_trait (
    no   INTEGER PRIMARY KEY AUTOINCREMENT,
    word TEXT NOT NULL UNIQUE -- column/main/12, area/120101, quiet/22:00-07:00 ...
);

-- All devices with a trait, 65,536 a row: push/sets.c.
CREATE TABLE push_set (
    at   INTEGER PRIMARY KEY, -- trait * 65,536 + block
    bits BLOB NOT NULL        -- push/bits.h
);

-- A campaign on its way, with what it was approved with: push/run.h. Times in milliseconds.
CREATE TABLE push_run (
    campaign  INTEGER PRIMARY KEY,
    audience  TEXT    NOT NULL, -- canonical JSON
    class     INTEGER NOT NULL, -- enum push_class
    of_column TEXT,             -- whose refusals count
    areas     TEXT    NOT NULL, -- districts that come first, in order: 120101,120102
    doubt     INTEGER NOT NULL, -- enum run_doubt
    began     INTEGER NOT NULL,
    ends      INTEGER NOT NULL, -- nobody is tried again from then on
    last      INTEGER NOT NULL, -- the newest device that there was when it began: who comes later is not meant
    ranks     INTEGER NOT NULL, -- districts, and all others
    rank      INTEGER NOT NULL, -- what is to be opened next
    block     INTEGER NOT NULL,
    state     INTEGER NOT NULL, -- enum run_state
    moved     INTEGER NOT NULL, -- when it came on last
    news      INTEGER NOT NULL, -- 1: licensed news, which has quotas of its own
    said      TEXT NOT NULL, -- JSON: what its messages say, of one that is a test or a recall; '': as the campaign does
    after     INTEGER NOT NULL -- an earlier run whose devices it reaches too; 0: none
);
CREATE INDEX push_run_by_state ON push_run (state);
CREATE INDEX push_run_by_began ON push_run (began);

-- Its devices: by 65,536, transport and rank. From `next` on they are still to be taken.
CREATE TABLE push_part (
    campaign  INTEGER NOT NULL REFERENCES push_run (campaign) ON DELETE CASCADE,
    block     INTEGER NOT NULL,
    transport INTEGER NOT NULL,
    rank      INTEGER NOT NULL,
    next      INTEGER NOT NULL, -- 65,536: none is left
    n         INTEGER NOT NULL,
    rest      INTEGER NOT NULL,
    bits      BLOB NOT NULL,
    PRIMARY KEY (campaign, block, transport, rank)
);
CREATE INDEX push_part_left ON push_part (campaign, transport, rank, block) WHERE next < 65536;

-- Those that may be on their way (sent 1), and those that are to be tried again.
CREATE TABLE push_batch (
    no        INTEGER PRIMARY KEY AUTOINCREMENT,
    campaign  INTEGER NOT NULL REFERENCES push_run (campaign) ON DELETE CASCADE,
    transport INTEGER NOT NULL,
    block     INTEGER NOT NULL,
    tries     INTEGER NOT NULL, -- before
    at        INTEGER NOT NULL, -- when it was sent, or is to be
    sent      INTEGER NOT NULL,
    n         INTEGER NOT NULL,
    bits      BLOB NOT NULL
);
CREATE INDEX push_batch_by_campaign ON push_batch (campaign, transport, sent, at, no);
CREATE INDEX push_batch_by_sent ON push_batch (sent, no);
CREATE INDEX push_batch_by_block ON push_batch (transport, block) WHERE sent = 1;

-- What became of the others: enum run_what. It is the ledger of what a device had today, too.
CREATE TABLE push_outcome (
    campaign  INTEGER NOT NULL REFERENCES push_run (campaign) ON DELETE CASCADE,
    block     INTEGER NOT NULL,
    transport INTEGER NOT NULL,
    what      INTEGER NOT NULL,
    day       INTEGER NOT NULL, -- since 1970, in Beijing
    n         INTEGER NOT NULL,
    bits      BLOB NOT NULL,
    PRIMARY KEY (campaign, block, transport, what, day)
);
CREATE INDEX push_outcome_by_day ON push_outcome (block, day, what);

-- How far a campaign for a list of accounts has come in their inboxes: push/campaign_inbox.c.
CREATE TABLE push_inbox (
    campaign INTEGER PRIMARY KEY REFERENCES push_run (campaign) ON DELETE CASCADE,
    next     INTEGER NOT NULL, -- place in the list
    put      INTEGER NOT NULL,
    taken    INTEGER NOT NULL,
    state    INTEGER NOT NULL  -- 1 putting, 2 taking back, 3 over
);
CREATE INDEX push_inbox_by_state ON push_inbox (state, campaign);

-- Campaigns: push/campaign.c, docs/push.md. Texts are '' where there is none.
CREATE TABLE push_campaign (
    no        INTEGER PRIMARY KEY AUTOINCREMENT,
    site      INTEGER NOT NULL, -- the record's: whose operators and approvers
    item      BLOB    NOT NULL, -- the record
    rev       INTEGER NOT NULL, -- ... as it was published when this was written
    col       INTEGER NOT NULL, -- ... and where it stood: who refuses the column is not in the audience
    class     INTEGER NOT NULL, -- enum push_class
    title     TEXT    NOT NULL,
    text      TEXT    NOT NULL,
    link      TEXT    NOT NULL, -- '': the record's page
    picture   TEXT    NOT NULL, -- SHA-256 in hex, of the record's
    audience  TEXT    NOT NULL, -- canonical JSON: push/audience.h
    districts TEXT    NOT NULL, -- canonical JSON: codes of areas in the order of sending
    start     INTEGER NOT NULL, -- seconds; 0: at once
    doubt     INTEGER NOT NULL, -- enum campaign_doubt
    ttl       INTEGER NOT NULL, -- seconds
    pace      INTEGER NOT NULL, -- devices a second; 0: as the vendors allow
    state     TEXT    NOT NULL, -- push/campaign_state.def
    hash      BLOB    NOT NULL, -- of all that is above it but the site
    tested    BLOB,             -- the hash that was sent to testers; NULL: none
    approved  INTEGER NOT NULL, -- when the last approval that was needed came; 0: not yet
    fired     INTEGER NOT NULL, -- when its snapshot was written (push/run.c); 0: not yet
    copied    INTEGER NOT NULL, -- the campaign that it is a copy of; 0: none
    created   INTEGER NOT NULL,
    changed   INTEGER NOT NULL
);
CREATE INDEX push_campaign_by_state ON push_campaign (state, start, no);
CREATE INDEX push_campaign_by_item ON push_campaign (item, no);
CREATE INDEX push_campaign_by_site ON push_campaign (site, no);
CREATE INDEX push_campaign_by_change ON push_campaign (changed);

-- What became of each, and who made it so.
CREATE TABLE push_step (
    campaign INTEGER NOT NULL,
    no       INTEGER NOT NULL,
    step     TEXT    NOT NULL,
    state    TEXT    NOT NULL, -- afterwards
    hash     BLOB    NOT NULL, -- afterwards
    actor    TEXT    NOT NULL, -- "account:7", "party:cms", "system"
    behind   TEXT    NOT NULL, -- a program's owner at that time: "account:7"; '' where it was no program's, or the server's own
    at       INTEGER NOT NULL,
    text     TEXT,             -- in words; NULL: none
    PRIMARY KEY (campaign, no)
) WITHOUT ROWID;

-- Approvals in force: an edit removes them.
CREATE TABLE push_approval (
    campaign INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    hash     BLOB    NOT NULL,
    at       INTEGER NOT NULL,
    plan     TEXT    NOT NULL, -- JSON: what whoever approved could see (push/plan.h)
    PRIMARY KEY (campaign, actor)
) WITHOUT ROWID;

-- What business systems may say to one person, a row a version: push/notice_template.c.
CREATE TABLE notice_template (
    no       INTEGER PRIMARY KEY AUTOINCREMENT,
    party    INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    words    TEXT    NOT NULL, -- canonical JSON: push/notice_words.h
    hash     BLOB    NOT NULL, -- of party, name and words
    state    TEXT    NOT NULL, -- submitted, returned, approved, replaced, retired
    author   TEXT    NOT NULL, -- "party:heping", "account:7"
    approver TEXT,             -- who approved or returned it
    why      TEXT,
    changed  INTEGER NOT NULL
);
CREATE INDEX notice_template_by_name ON notice_template (party, name, state, no);
CREATE INDEX notice_template_by_party ON notice_template (party, no);

-- What was sent to whom; what it says stands in his inbox alone: push/notice.c.
CREATE TABLE notice (
    no       INTEGER PRIMARY KEY AUTOINCREMENT,
    id       BLOB    NOT NULL,
    party    INTEGER NOT NULL,
    account  INTEGER NOT NULL,
    template INTEGER NOT NULL,
    ref      TEXT    NOT NULL, -- the party's own number for it
    said     BLOB    NOT NULL, -- a keyed hash of the order
    at       INTEGER NOT NULL,
    ttl      INTEGER NOT NULL, -- seconds
    fate     INTEGER NOT NULL, -- enum notice_fate
    silent   INTEGER NOT NULL  -- 1: no phone rings
);
CREATE UNIQUE INDEX notice_by_id ON notice (id);
CREATE UNIQUE INDEX notice_by_ref ON notice (party, ref);
CREATE INDEX notice_by_account ON notice (account);
CREATE INDEX notice_by_time ON notice (at);

-- How far the change log was followed, a row a stream that ever had a campaign: push/campaign_follow.c.
CREATE TABLE push_follow (
    stream INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL
);

-- Who may issue warnings: warning/warning_sender.c. Both texts are canonical JSON, and '' if there is none.
CREATE TABLE warning_sender (
    no       INTEGER PRIMARY KEY AUTOINCREMENT,
    code     TEXT    NOT NULL UNIQUE, -- 11 or 14 characters
    spec     TEXT    NOT NULL, -- what two people agreed on
    proposed TEXT    NOT NULL, -- what one of them wants
    proposer TEXT    NOT NULL, -- "account:7"
    stopped  TEXT    NOT NULL, -- why nothing is taken from it; '': it is not stopped
    created  INTEGER NOT NULL,
    changed  INTEGER NOT NULL
);

-- What was taken, byte for byte: warning/warning.c.
CREATE TABLE warning (
    no         INTEGER PRIMARY KEY AUTOINCREMENT,
    identifier TEXT    NOT NULL,
    test       INTEGER NOT NULL, -- 1: its key was only proposed
    sender     INTEGER NOT NULL,
    key        TEXT    NOT NULL, -- its id
    alg        TEXT    NOT NULL,
    pem        TEXT    NOT NULL, -- the public key of then
    name       TEXT    NOT NULL, -- of this server, as it was signed for
    signed     INTEGER NOT NULL, -- when the sender says that he signed
    signature  BLOB    NOT NULL,
    hash       BLOB    NOT NULL, -- SHA-256 of the bytes
    bytes      BLOB    NOT NULL,
    chain      INTEGER NOT NULL, -- the first of its chain: its own number, or an earlier one
    status     TEXT    NOT NULL, -- CAP's
    type       TEXT    NOT NULL,
    level      INTEGER NOT NULL, -- enum level
    areas      TEXT    NOT NULL, -- 120101,120102
    title      TEXT    NOT NULL,
    sent       INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    received   INTEGER NOT NULL,
    item       BLOB,             -- NULL: it was shown to nobody
    rev        INTEGER NOT NULL,
    run        INTEGER NOT NULL  -- of push_run; 0: none
);
CREATE UNIQUE INDEX warning_by_identifier ON warning (identifier, test);
CREATE INDEX warning_by_chain ON warning (chain, no);
CREATE INDEX warning_unshown ON warning (received) WHERE rev = 0;

-- Who is told of a feed's news (docs/feeds.md, WebSub): server/websub/websub_table.c.
CREATE TABLE websub (
    no       INTEGER PRIMARY KEY AUTOINCREMENT,
    topic    TEXT    NOT NULL, -- path of the feed: "/feeds/columns/17.atom"
    callback TEXT    NOT NULL, -- URL; its query may be a key
    host     TEXT    NOT NULL, -- of it, without the port
    secret   BLOB,             -- of the HMAC, closed with a key of keys/; NULL: it is not signed
    since    INTEGER NOT NULL, -- seconds
    ends     INTEGER NOT NULL, -- seconds
    n        INTEGER NOT NULL, -- of the feed: what he has acknowledged last
    chain    BLOB    NOT NULL, -- … of that row
    failures INTEGER NOT NULL, -- in a row
    again    INTEGER NOT NULL  -- milliseconds: not before; 0: at once
);
CREATE UNIQUE INDEX websub_by_place ON websub (topic, callback);
CREATE INDEX websub_by_host ON websub (host, topic);
CREATE INDEX websub_by_end ON websub (ends);

-- What was asked of the hub and is not verified yet.
CREATE TABLE websub_ask (
    no       INTEGER PRIMARY KEY AUTOINCREMENT,
    mode     INTEGER NOT NULL, -- enum websub_mode
    topic    TEXT    NOT NULL,
    callback TEXT    NOT NULL,
    host     TEXT    NOT NULL,
    lease    INTEGER NOT NULL, -- seconds
    reason   TEXT,             -- of a refusal
    secret   BLOB,             -- as in websub
    at       INTEGER NOT NULL
);
CREATE INDEX websub_ask_by_host ON websub_ask (host);
CREATE INDEX websub_ask_by_time ON websub_ask (at);

-- Accounts on other platforms (docs/channels.md): server/channel/channel_account.c.
CREATE TABLE channel_account (
    no            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT    NOT NULL, -- channel_kind.def
    name          TEXT    NOT NULL,
    handle        TEXT    NOT NULL, -- what the platform calls it: AppID, uid
    site          INTEGER NOT NULL,
    org           INTEGER NOT NULL, -- who runs it; 0: not said
    filing        TEXT,             -- of the filing: its number
    state         TEXT    NOT NULL, -- filing, active, paused, closed
    domain        TEXT,             -- that its posts must link to (Weibo)
    scope         TEXT    NOT NULL, -- all, site: what its readers find
    replies       TEXT,             -- canonical JSON: what a menu's key gets
    published     INTEGER NOT NULL, -- the last time something came out; 0: never
    changed       INTEGER NOT NULL,
    secret        BLOB,             -- JSON, closed with a key of keys/
    grant_text    BLOB,             -- what requests are made with now, closed likewise
    grant_renew   INTEGER NOT NULL, -- seconds: another is asked for then
    grant_until   INTEGER NOT NULL,
    trouble       TEXT,             -- why it rests
    trouble_until INTEGER NOT NULL  -- seconds
);
CREATE UNIQUE INDEX channel_account_by_handle ON channel_account (kind, handle);

-- What one of them shall say of one revision of an item: server/channel/channel_version.c.
CREATE TABLE channel_version (
    no       INTEGER PRIMARY KEY AUTOINCREMENT,
    channel  INTEGER NOT NULL,
    item     BLOB    NOT NULL,
    rev      INTEGER NOT NULL,
    title    TEXT    NOT NULL,
    digest   TEXT    NOT NULL,
    byline   TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    cover    BLOB,             -- SHA-256 of a picture
    state    TEXT    NOT NULL, -- draft, returned, approved, forgotten
    hash     BLOB    NOT NULL, -- of all above but the state: what is approved
    author   TEXT    NOT NULL,
    approver TEXT,
    why      TEXT,             -- it was returned
    changed  INTEGER NOT NULL
);
CREATE INDEX channel_version_by_item ON channel_version (item, no);
CREATE INDEX channel_version_by_channel ON channel_version (channel, no);

-- The outbox: server/channel/channel_task.c.
CREATE TABLE channel_task (
    no         INTEGER PRIMARY KEY AUTOINCREMENT,
    channel    INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    verb       TEXT    NOT NULL, -- publish, delete
    state      TEXT    NOT NULL, -- queued, waiting, unknown, done, failed, cancelled
    intent     INTEGER NOT NULL, -- the step that is under way, or was when the process ended; 0: none
    doomed     INTEGER NOT NULL, -- 1: the item was withdrawn; it is deleted if it is out
    failures   INTEGER NOT NULL, -- of the step, in a row
    again      INTEGER NOT NULL, -- seconds: not before; 0: not by itself
    cover_id   TEXT,
    draft_id   TEXT,
    publish_id TEXT,
    article_id TEXT,
    url        TEXT,
    said       TEXT,             -- why it is where it is
    created    INTEGER NOT NULL,
    changed    INTEGER NOT NULL
);
CREATE UNIQUE INDEX channel_task_once ON channel_task (version, verb);
CREATE INDEX channel_task_by_state ON channel_task (state, no);
CREATE INDEX channel_task_due ON channel_task (channel, no) WHERE again > 0 AND intent = 0;
CREATE INDEX channel_task_out ON channel_task (intent) WHERE intent > 0;

-- Pictures of a version that the platform has.
CREATE TABLE channel_picture (
    task INTEGER NOT NULL,
    hash BLOB    NOT NULL,
    url  TEXT    NOT NULL,
    PRIMARY KEY (task, hash)
) WITHOUT ROWID;

-- How far the change log was read for withdrawals.
CREATE TABLE channel_follow (
    stream INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL
);
-- How far a site accepts the review of who submits to it (docs/ingest.md): server/source/agreement.c.
CREATE TABLE agreement (
    site    INTEGER NOT NULL,
    source  TEXT    NOT NULL, -- "party:heping"
    accepts TEXT    NOT NULL, -- submit, publish
    basis   TEXT    NOT NULL, -- the document that says so
    ends    INTEGER NOT NULL, -- seconds; 0: it does not
    at      INTEGER NOT NULL,
    PRIMARY KEY (site, source)
) WITHOUT ROWID;

-- What a source handed in (docs/ingest.md): server/source/submission.c.
CREATE TABLE submission (
    no        INTEGER PRIMARY KEY AUTOINCREMENT,
    id        BLOB    NOT NULL UNIQUE, -- UUID: its status address
    site      INTEGER NOT NULL,
    source    TEXT    NOT NULL, -- who may send the next version: "party:heping"
    origin_id TEXT    NOT NULL, -- its name there
    hash      BLOB    NOT NULL, -- SHA-256 of what was sent
    kind      INTEGER NOT NULL, -- of the party: enum party_kind
    received  INTEGER NOT NULL, -- seconds
    state     TEXT    NOT NULL, -- received, checking, landed, returned, replaced
    item      BLOB   ,             -- landed
    rev       INTEGER NOT NULL, -- … as that revision; 0: not yet
    field     TEXT,             -- returned: what was wrong
    said      TEXT,             -- … and why
    files     TEXT    NOT NULL, -- JSON array: server/source/source_file.h
    body      BLOB   ,             -- as it was sent; NULL once it is landed, returned or replaced
    tries     INTEGER NOT NULL, -- rounds of fetching files that failed
    again     INTEGER NOT NULL  -- seconds: the next not before
);
CREATE INDEX submission_by_origin ON submission (source, origin_id, no);
CREATE INDEX submission_by_site ON submission (site, no);
CREATE INDEX submission_by_time ON submission (received);
CREATE INDEX submission_waiting ON submission (again, no) WHERE body IS NOT NULL;

-- Where we ask by ourselves for what others publish (docs/ingest.md): server/source/source.c.
CREATE TABLE source (
    no       INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT    NOT NULL UNIQUE,
    site     INTEGER NOT NULL,
    col      TEXT    NOT NULL, -- path of a column of the site
    kind     TEXT    NOT NULL, -- feed, records
    url      TEXT    NOT NULL,
    period   INTEGER NOT NULL, -- seconds
    created  INTEGER NOT NULL,
    asked    INTEGER NOT NULL, -- seconds; 0: never
    again    INTEGER NOT NULL, -- seconds: the next not before
    failures INTEGER NOT NULL, -- in a row
    etag     TEXT,             -- of the last answer
    modified TEXT,
    said     TEXT,             -- why the last time failed
    faults   TEXT    NOT NULL, -- JSON array: of the last answer
    taken    INTEGER NOT NULL  -- submissions that came of it
);
CREATE INDEX source_waiting ON source (again, no);
