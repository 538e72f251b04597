import BackstopCore
import Testing

@testable import BackstopCommands

/// Whose WAL a repository has, and why it has not.
struct ArchiverStateTests {
    private static let segment = "000000010000000000000005"

    private static func state(archived: String? = nil, failed: String? = nil, failing: Bool = false) -> ArchiverState {
        ArchiverState(
            archived: archived.map { .init(file: $0, time: 1_795_251_600) }, failed: failed.map { .init(file: $0, time: 1_795_251_660) },
            failures: failed == nil ? 0 : 7, isFailing: failing)
    }

    @Test(
        arguments: [
            // What this server wrote is what counts, whatever the archiver says.
            ("a", "a", state(), false), ("a", "a", state(failed: segment, failing: true), false), ("a", "b", state(), true),
            ("a", "b", state(archived: segment), true),
            // Gone from pg_wal: it was archived before.
            ("a", nil, state(), false), ("a", nil, state(archived: segment), false),
            ("a", nil, state(archived: segment, failed: segment), false), ("a", nil, state(failed: segment, failing: true), true),
            ("a", nil, state(failed: "000000010000000000000009", failing: true), false),
        ] as [(String, String?, ArchiverState, Bool)])
    func foreign(_ archived: String, _ own: String?, _ state: ArchiverState, _ expected: Bool) {
        #expect(state.isForeign(Self.segment, archived: archived, own: own) == expected)
    }

    @Test(arguments: [
        (state(), "has not archived anything yet"), (state(failed: segment, failing: true), "has failed 7 times, last for '\(segment)'"),
        (state(archived: "000000010000000000000004"), "has not come to it, its last is '000000010000000000000004'"),
        (state(archived: segment), "reports success, last for '\(segment)'"),
        (state(archived: segment + ".00000028.backup"), "reports success"),
        (state(archived: "000000010000000000000006"), "reports success"),
        (state(archived: "000000020000000000000006"), "has not come to it"), (state(archived: "00000002.history"), "has not come to it"),
        (state(archived: "000000010000000000000004", failed: "000000010000000000000003"), "has not come to it"),
    ])
    func reason(_ state: ArchiverState, _ part: String) throws {
        let reason = state.reason(for: try #require(WALSegment(Self.segment)))
        #expect(reason.contains(part), "\(reason)")
    }
}

struct ArchiveCommandTests {
    @Test(arguments: [
        "pgbackstop --stanza=demo archive-push %p", "/usr/bin/pgbackstop --stanza=demo archive-push \"%p\"",
        "pgbackrest --stanza demo archive-push '%p'", "pgbackrest --stanza=demo archive-push \"/data/%p\"",
        "test -f /x || pgbackrest --stanza=demo archive-push %p && true", "PGBACKREST_STANZA=other pgbackrest archive-push %p",
        "sudo -u postgres pgbackrest --stanza=\"demo\" archive-push %p", "pgbackrest --stanza=$STANZA archive-push %p",
        "pgbackrest $(cat options)", "bash -c 'pgbackrest --stanza=other archive-push %p'", "/opt/pgbackrest-push.sh %f",
        "pgbackrest --stanza=other --stanza=demo archive-push %p", "cp %p /x; pgbackrest --config=/a/b.conf archive-push %p --stanza=demo",
        "/x/pgbackrest_wrapper demo %p", "", "true",
    ])
    func nothingAgainst(_ command: String) { #expect(ArchiveCommand(command).fault(stanza: "demo") == nil) }

    @Test(arguments: [
        ("pgbackstop --stanza=mian archive-push %p", "stanza 'mian'"), ("pgbackstop --stanza mian archive-push %p", "stanza 'mian'"),
        ("pgbackrest '--stanza=mi an' archive-push %p", "stanza 'mi an'"),
        ("pgbackstop --stanza=demo archive-push %f", "passes %f"), ("pgbackstop --stanza=demo archive-push pg_wal/%f", "passes %f"),
        ("pgbackstop --stanza=demo archive-push", "which file"), ("pgbackstop --stanza=demo archive-psuh %p", "but 'archive-psuh'"),
        ("pgbackstop --stanza=demo backup", "does not run archive-push"), ("true pgbackstop", "does not run archive-push"),
        ("cp %p /x && pgbackstop --stanza=demo archive-push", "which file"),
    ])
    func fault(_ command: String, _ part: String) throws {
        let fault = try #require(ArchiveCommand(command).fault(stanza: "demo"))
        #expect(fault.reason.contains(part), "\(fault.reason)")
    }

    @Test func places() {
        let full = ArchiveCommand("exec \"/opt/a b/pgbackstop\" --config=/etc/x.conf --stanza=demo archive-push %p")
        #expect(full.program == "/opt/a b/pgbackstop" && full.configuration == "/etc/x.conf" && !full.takesUsualConfiguration)
        let short = ArchiveCommand("pgbackstop --stanza=demo archive-push %p")
        #expect(short.program == nil && short.configuration == nil && short.takesUsualConfiguration)
        #expect(!ArchiveCommand("PGBACKSTOP_CONFIG=/x pgbackstop archive-push %p").takesUsualConfiguration)
        #expect(!ArchiveCommand("pgbackstop --config-path=/x archive-push %p").takesUsualConfiguration)
        #expect(ArchiveCommand("$HOME/pgbackstop archive-push %p").program == nil)
        #expect(ArchiveCommand("pgbackstop --config=$X archive-push %p").configuration == nil)
        #expect(!ArchiveCommand("/opt/script").takesUsualConfiguration)
    }
}
