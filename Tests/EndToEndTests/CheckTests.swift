import EndToEndSupport
import Foundation
import Testing

/// `check` ends with what a backup or the server's archiver would end with, and says why before anybody waits.
@Suite(.servers)
struct CheckTests {
    /// What a backup is refused for is found before the first file is stored, and by `check`.
    @Test func backupWouldBeRefused() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        let (data, folder) = (bench.data, bench.folder.path)
        for name in ["beside", "second"] { try bench.folder.makeDirectory(name) }
        let cases: [(make: String, undo: String, status: Int32, text: String)] = [
            ("echo x >notes; chmod 0 notes", "rm -f notes", 41, "data/notes"),
            ("mkdir -m 0 closed", "rmdir closed", 53, "data/closed"),
            ("mkdir base/notes; echo x >base/notes/x; chmod 200 base/notes/x", "rm -r base/notes", 41, "base/notes/x"),
            ("ln -s beside/x link", "rm link", 55, "does not exist"),
            ("ln -s to-beside link; ln -s ../beside to-beside", "rm link to-beside", 70, "link"),
            ("ln -s base/1 link", "rm link", 70, "is in PGDATA"), ("mkfifo pipe; ln -s pipe link", "rm link pipe", 70, "special file"),
            ("ln -s ../beside one; ln -s ../beside two", "rm one two", 70, "same as"),
            ("mkdir pg_tblspc/99999", "rmdir pg_tblspc/99999", 69, "symlink"), ("touch \"two\nlines\"", "rm two*", 32, "line"),
        ]
        for (make, undo, status, text) in cases {
            try run(["sh", "-ec", make], in: data)
            for command in [["check"], ["--type=full", "backup"]] {
                let outcome = try bench.attempt(command)
                #expect(outcome.status == status && outcome.text.contains(text), "\(make): \(outcome)")
            }
            try run(["sh", "-ec", undo], in: data)
        }
        #expect(try bench.files.names("backup/demo", ending: "backup.manifest.copy").count == 1)
        // A tablespace in PGDATA.
        try run(["mkdir", "\(data)/space"])
        try cluster.query("CREATE TABLESPACE space LOCATION '\(data)/space'")
        #expect(try bench.attempt("check").status == 70)
        try cluster.query("DROP TABLESPACE space")
        try run(["rmdir", "\(data)/space"])
        // What backup leaves out does not matter.
        try run(["sh", "-ec", "echo x >notes; chmod 0 notes"], in: data)
        try bench.configure(["exclude": "notes"])
        try bench.run("check")
        try bench.run("--type=full", "backup")
        _ = folder
    }

    /// Options that other commands read.
    @Test(
        arguments: [
            ("compress-type", "'zst'", 32, "backup"), ("process-max", "many", 32, "backup"),
            ("archive-push-queue-max", "big", 32, "archive-push"),
            ("tablespace-map", "nothing", 31, "restore"), ("job-retry", "x", 32, "backup"),
        ] as [(String, String, Int32, String)])
    func options(_ name: String, _ value: String, _ status: Int32, _ command: String) throws {
        let bench = try Workbench()
        try bench.configure([name: value])
        let outcome = try bench.attempt("check")
        #expect(outcome.status == status && outcome.text.contains("command '\(command)'") && outcome.text.contains(name), "\(outcome)")
    }

    /// What is wrong with archive_command is said at once, what fails in it as soon as the server knows.
    @Test func archiveCommand() throws {
        let bench = try Workbench(options: ["archive-timeout": "600"])
        let cluster = try bench.clusterWithBackup()
        let program = "\(bench.tool.path) --config=\(bench.configuration)"
        for (command, text) in [
            ("\(program) --stanza=mian archive-push %p", "stanza ''mian''"), ("\(program) --stanza=demo archive-push %f", "%p"),
            ("\(program) --stanza=demo archive-psuh %p", "archive-psuh"), ("/nowhere/pgbackstop --stanza=demo archive-push %p", "/nowhere"),
            ("\(bench.tool.path) --config=/nowhere.conf --stanza=demo archive-push %p", "/nowhere.conf"),
        ] {
            try cluster.query("ALTER SYSTEM SET archive_command = '\(command)'")
            try cluster.query("SELECT pg_reload_conf()")
            try cluster.wait(until: "SHOW archive_command", is: command)
            for words in [["check"], ["--type=full", "backup"]] {
                let outcome = try bench.attempt(words)
                #expect(outcome.status == 68 && outcome.text.contains(text.replacing("''", with: "'")), "\(outcome)")
            }
        }
        // One that nothing can be seen to be wrong with: the archiver tells.
        try cluster.query("ALTER SYSTEM SET archive_command = '\(program) --repo1-path=/dev/null --stanza=demo archive-push %p'")
        try cluster.query("SELECT pg_reload_conf()")
        try cluster.query("SELECT pg_create_restore_point('x'); SELECT pg_switch_wal()")
        try cluster.wait(until: "SELECT failed_count > 0 FROM pg_stat_archiver")
        let running = try bench.launch("--archive-timeout=2", "check")
        let outcome = try running.wait()
        #expect(outcome.status == 82, "\(outcome)")
        let parts = outcome.text.components(separatedBy: "ERROR")
        #expect(parts.count == 2 && parts.allSatisfy { $0.contains("has failed") }, "\(outcome)")
        // One that says that it archived.
        try cluster.query("ALTER SYSTEM SET archive_command = 'true pgbackstop archive-push %p'")
        try cluster.query("SELECT pg_reload_conf()")
        try cluster.archiveCurrentSegment()
        let lost = try bench.attempt("--archive-timeout=2", "check")
        #expect(lost.status == 82 && lost.text.contains("reports success"), "\(lost)")
    }

    /// Who is in the way.
    @Test func runningBackup() throws {
        let bench = try Workbench()
        let cluster = try bench.clusterWithBackup()
        try cluster.query("CREATE TABLE dirty AS SELECT n FROM generate_series(1, 20000) n")
        let backup = try bench.launch("--type=full", "--no-start-fast", "backup")
        try eventually("the backup runs") {
            if let outcome = backup.poll() { throw Failure("\(outcome)") }
            return try cluster.query("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgBackstop%'") == "1" ? true : nil
        }
        let second = try bench.attempt("--type=full", "backup")
        #expect(second.status == 50 && second.text.contains(" has it"), "\(second)")
        try cluster.query("CHECKPOINT")
        #expect(try backup.wait().status == 0)
    }
}
