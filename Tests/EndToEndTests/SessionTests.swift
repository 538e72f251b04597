import EndToEndSupport
import Foundation
import Testing

/// The session that a backup lives in is ours: what a role, a database or the environment limit does not end it.
@Suite(.servers)
struct SessionTests {
    private static func limits(_ version: Int) -> [(String, String)] {
        let times =
            ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] + (version < 14 ? [] : ["idle_session_timeout"])
            + (version < 17 ? [] : ["transaction_timeout"])
        return times.map { ($0, "1ms") } + [
            ("default_transaction_read_only", "on"), ("default_transaction_isolation", "serializable"),
            ("default_transaction_deferrable", "on"), ("DateStyle", "German"), ("TimeZone", "Pacific/Kiritimati"),
            ("IntervalStyle", "iso_8601"), ("bytea_output", "escape"), ("extra_float_digits", "-10"), ("quote_all_identifiers", "on"),
            ("standard_conforming_strings", "off"), ("search_path", "pg_temp, public"), ("client_encoding", "LATIN1"),
        ] + (version < 12 ? [] : [("tcp_user_timeout", "1ms")]) + (version < 14 ? [] : [("client_connection_check_interval", "1ms")])
    }

    @Test(arguments: [(14, RepositoryKind.posix), (17, .posix), (18, .pulled)])
    func limited(_ version: Int, _ kind: RepositoryKind) throws {
        let bench = try Workbench(on: kind)
        let cluster = try bench.cluster(version)
        try bench.run("stanza-create")
        try cluster.query("CREATE ROLE keeper LOGIN SUPERUSER")
        try cluster.query("CREATE DATABASE kept")
        // What would be called in place of what is meant.
        try cluster.query(
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$SELECT '2001-01-01'::timestamptz$$")
        for (name, value) in Self.limits(version) {
            let value = name == "search_path" ? value : "'\(value)'"
            try cluster.query("ALTER ROLE keeper SET \(name) = \(value); ALTER DATABASE kept SET \(name) = \(value)")
        }
        for (user, database) in [("keeper", "postgres"), ("postgres", "kept")] {
            let options = ["--pg1-user=\(user)", "--pg1-database=\(database)"]
            try bench.run(options + ["check"])
            // Long enough for every limit: the checkpoint takes its time, and the files are copied meanwhile.
            try bench.run(options + ["--type=full", "backup"])
        }
        #expect(try bench.labels().count == 2)
    }

    /// What the user set for all programs of libpq holds, but for what would be in the way.
    @Test func environment() throws {
        let bench = try Workbench()
        let cluster = try bench.cluster(17)
        try bench.run("stanza-create")
        let options = (Self.limits(17).filter { !$0.1.contains(" ") } + [("work_mem", "5MB")]).map { "-c \($0.0)=\($0.1)" }.joined(
            separator: " ")
        for arguments in [["check"], ["--type=full", "backup"]] {
            let outcome = try attempt(bench.command(arguments), environment: ["PGOPTIONS": options], in: bench.folder.path)
            #expect(outcome.status == 0, "\(outcome)")
        }
        #expect(try bench.labels().count == 1)
        let wrong = try attempt(bench.command(["check"]), environment: ["PGOPTIONS": "-c no_such_setting=1"], in: bench.folder.path)
        #expect(wrong.status == 56 && wrong.text.contains("no_such_setting"), "\(wrong)")
        try cluster.stop()
    }
}
