import EndToEndSupport
import Foundation
import Testing

/// The object store goes away while a command works with it.
@Suite(.servers)
struct StoreOutageTests {
    /// A store of its own, which may be stopped, behind a proxy that makes every upload of a cluster's file take a while.
    private func bench(_ options: KeyValuePairs<String, String> = [:]) throws -> (bench: Workbench, store: ObjectStore, proxy: FaultProxy) {
        let store = try ObjectStore()
        let proxy = try FaultProxy(store)
        let kind = RepositoryKind(description: "s3 that fails") { _, name in
            .bucket(store, path: "/outage/\(name)", port: proxy.port)
        }
        return (try Workbench(Format(.lz4), on: kind, options: options), store, proxy)
    }

    private func underWay(_ proxy: FaultProxy) throws {
        try eventually("the backup puts files") {
            try proxy.log().contains { $0.method == "PUT" && $0.path.contains("pg_data") } ? true : nil
        }
    }

    /// Who may write backups need not be allowed to list uploads; nothing that matters to them is missing then.
    @Test func uploadsMayNotBeListed() throws {
        let (bench, _, proxy) = try bench(["log-level-console": "info"])
        _ = try bench.clusterWithBackup()
        let refusal =
            #"{"has": "uploads=", "fault": "status", "status": 403, "times": 99, "body": "<Error><Code>AccessDenied</Code></Error>"}"#
        try proxy.set(refusal)
        let check = try bench.attempt("check")
        #expect(check.status == 0 && check.text.contains("unfinished uploads is not known"), "\(check)")
        #expect(check.text.contains("AccessDenied"), "\(check)")
        // Whoever wants them removed has to know that they were not.
        let removal = try bench.attempt("--remove-uploads=1d", "check")
        #expect(removal.status == 41 && removal.text.contains("AccessDenied"), "\(removal)")
    }

    /// What a killed run had begun to upload is told, and removed when that is asked for and it is old enough.
    @Test func unfinishedUploads() throws {
        let store = try ObjectStore.shared.get()
        let bench = try Workbench(Format(.lz4), on: .s3, options: ["log-level-console": "info"])
        _ = try bench.clusterWithBackup()
        let path = "/\(ObjectStore.bucket)/\(URL(fileURLWithPath: bench.folder.path).lastPathComponent)/repository"
        for name in ["backup/demo/20200101-000000F/pg_data/base/1/1", "archive/demo/15-1/0000000100000000/x", "backup/other/1"] {
            let begun = try store.request("POST", "\(path)/\(name)?uploads=")
            #expect(begun.status == 0, "\(begun)")
        }
        let told = try bench.attempt("check")
        #expect(told.status == 0 && told.text.contains("repo1 has 2 unfinished uploads"), "\(told)")
        // They are too young to be what a killed run left.
        let young = try bench.attempt("--remove-uploads=1d", "check")
        #expect(young.status == 0 && young.text.contains("repo1 has 2 unfinished uploads"), "\(young)")
        let removed = try bench.attempt("--remove-uploads=100ms", "check")
        #expect(
            removed.status == 0 && removed.text.contains("removed unfinished upload of 'backup/demo/20200101-000000F/pg_data/base/1/1'"),
            "\(removed)")
        #expect(!removed.text.contains("backup/other"), "\(removed)")
        #expect(try !bench.attempt("check").text.contains("unfinished uploads"))
        #expect(try bench.labels().count == 1)
    }

    @Test func storeComesBack() throws {
        let (bench, store, proxy) = try bench()
        let cluster = try bench.clusterWithBackup()
        try proxy.set(#"{"method": "PUT", "has": "pg_data", "fault": "delay", "seconds": 0.3, "times": 12}"#)
        let backup = try bench.launch("--type=full", "backup")
        try underWay(proxy)
        store.stop()
        try eventually("the store is missed") { try proxy.log().contains { $0.status == "upstream" } ? true : nil }
        try store.start()
        let outcome = try backup.wait(within: 120)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.labels().count == 2)
        try bench.bringBack(cluster)
    }

    /// A store that is away for a moment does not end a recovery.
    @Test func recoveryWaitsForTheStore() throws {
        let (bench, store, proxy) = try bench(["io-timeout": "1", "archive-timeout": "300"])
        let cluster = try bench.clusterWithBackup()
        let segment = try cluster.archiveCurrentSegment()
        let kept = bench.folder.path("kept")
        try run(["cp", "\(bench.data)/pg_wal/\(segment)", kept])
        try cluster.stop()
        store.stop()
        try proxy.set()
        let log = bench.folder.path("get.log")
        let get = try Running(
            ["sh", "-c", "exec \"$@\" >'\(log)' 2>&1", "sh"] + bench.command(["archive-get", segment, bench.folder.path("got")]),
            in: bench.data)
        try eventually("the repository is asked again") {
            if let outcome = get.poll() { throw Failure("it gave up: \(outcome)") }
            return (try? String(contentsOfFile: log, encoding: .utf8))?.contains("asked again") == true ? true : nil
        }
        try store.start()
        let outcome = try get.wait(within: 120)
        #expect(outcome.status == 0, "\(outcome)")
        try run(["cmp", kept, bench.folder.path("got")])
    }

    @Test func storeStaysAway() throws {
        let (bench, store, proxy) = try bench(["io-timeout": "2", "archive-timeout": "3"])
        let cluster = try bench.clusterWithBackup()
        // What is to be pushed is pushed by the test.
        try cluster.query("ALTER SYSTEM SET archive_command = 'false'")
        try cluster.query("SELECT pg_reload_conf()")
        try cluster.query("INSERT INTO item VALUES (0, 'more')")
        let segment = try cluster.query("SELECT pg_walfile_name(pg_switch_wal())")
        try proxy.set(#"{"method": "PUT", "has": "pg_data", "fault": "delay", "seconds": 0.3, "times": 12}"#)
        let backup = try bench.launch("--type=full", "--no-archive-check", "backup")
        try underWay(proxy)
        store.stop()
        let outcome = try backup.wait(within: 120)
        #expect(outcome.status == 49 && outcome.seconds < 30, "\(outcome)")
        #expect(outcome.text.contains("s3://backups/outage"), "\(outcome)")

        // A segment is not reported as archived, and getting one is an error, not the end of the archive.
        let push = try bench.attempt("archive-push", "pg_wal/\(segment)", in: bench.data)
        #expect(push.status > 1 && push.status < 126 && push.seconds < 40, "\(push)")
        let get = try bench.attempt("archive-get", segment, bench.folder.path("got"), in: bench.data)
        #expect(get.status == 200 && get.text.contains("s3://backups/outage"), "\(get)")
        #expect(try attempt(["test", "-e", bench.folder.path("got")]).status == 1)

        try store.start()
        #expect(try bench.labels().count == 1)
        let again = try bench.attempt("archive-push", "pg_wal/\(segment)", in: bench.data)
        #expect(again.status == 0, "\(again)")
        try bench.run("--type=full", "--no-archive-check", "backup")
        #expect(try bench.labels().count == 2)
    }
}
