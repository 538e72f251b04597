import EndToEndSupport
import Foundation
import Testing

/// What the README tells users to type works as it stands there; only the places are others.
@Suite(.servers)
struct DocumentationTests {
    /// The fenced blocks of that language, from the heading on.
    private func blocks(_ language: String, after heading: String) throws -> [String] {
        let text = try String(contentsOfFile: Checkout.path("README.md"), encoding: .utf8)
        let part = try #require(text.components(separatedBy: "\n\(heading)\n").last)
        return part.components(separatedBy: "```\(language)\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
    }

    @Test func readme() throws {
        let folder = try TemporaryFolder()
        let data = folder.path("data"), tool = Tool.underTest
        for name in ["log", "lock", "spool", "repository"] { try folder.makeDirectory(name) }
        let settings = try blocks("ini", after: "## Use it"), commands = try blocks("sh", after: "## Use it")
        #expect(settings.count == 2 && commands.count == 2)
        #expect(settings[0].split(separator: "\n").count == 5) // as it promises

        // The same text with the places of this test.
        func here(_ text: String) -> String {
            text.replacing("/var/lib/pgbackstop", with: folder.path("repository"))
                .replacing("/var/lib/postgresql/15/main", with: data)
                .replacing("pgbackstop --stanza", with: "\(tool.path) --config=\(folder.path("backup.conf")) --stanza")
                .replacing("pgbackstop info", with: "\(tool.path) --config=\(folder.path("backup.conf")) info")
        }
        // What a packaged installation has by default.
        let defaults = "log-path=\(folder.path("log"))\nlock-path=\(folder.path("lock"))\nspool-path=\(folder.path("spool"))\n"
        try folder.write(
            "backup.conf",
            here(settings[0]) + "pg1-socket-path=\(folder.path("s-data"))\npg1-user=postgres\n[global:backup]\nstart-fast=y\n[global]\n"
                + defaults)

        let cluster = try Cluster.make(.version(15), in: folder, name: "data")
        try run(["sh", "-c", "printf %s \"$0\" >>\"$1\"", here(settings[1]), "\(data)/postgresql.conf"])
        try cluster.start()
        try cluster.query("CREATE TABLE item AS SELECT n AS id FROM generate_series(1, 100) n")
        let lines = commands[0].split(separator: "\n").map(String.init)
        #expect(lines.count == 5)
        var answer = ""
        for line in lines { answer = try run(["sh", "-c", here(line)], in: folder.path).output }
        #expect(answer.contains("full backup: ") && answer.contains("incr backup: "))
        try cluster.query("INSERT INTO item VALUES (0)")
        try cluster.query("SELECT pg_sleep(1.01 - extract(microseconds FROM clock_timestamp())::numeric % 1000000 / 1000000)")
        let moment = try cluster.query("SELECT clock_timestamp()")
        try cluster.query("DROP TABLE item")
        try cluster.stop()

        // The latest state: the table is gone. The moment before: it is there. The example's moment is not ours.
        let restores = commands[1].split(separator: "\n").map(String.init)
        #expect(restores.count == 2)
        for (line, table) in zip(restores, ["", "item"]) {
            try run(["rm", "-rf", data])
            try run(["mkdir", "-m", "700", data])
            #expect(!table.isEmpty || !line.contains("--target="))
            try run(["sh", "-c", here(line.replacing(try Regex("--target='[^']*'"), with: "--target='\(moment)'"))], in: folder.path)
            try cluster.start(["archive_mode=off"])
            try cluster.waitForPromotion()
            #expect(
                try cluster.query("SELECT coalesce(string_agg(tablename, ','), '') FROM pg_tables WHERE schemaname = 'public'") == table)
            if !table.isEmpty { #expect(try cluster.query("SELECT count(*) FROM item") == "101") }
            try cluster.stop()
        }
    }
}
