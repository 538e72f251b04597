import EndToEndSupport
import Foundation
import Testing

/// Scripts read the log: under the name pgbackrest its lines at info level are those of pgBackRest, in its order and its words.
@Suite(.servers)
struct LogLineTests {
    /// What a line says, without what differs from run to run. `execute non-exclusive backup start` is what older versions say.
    private func words(_ line: Substring, _ bench: Workbench) -> String {
        var text = String(line).replacingOccurrences(of: bench.folder.path, with: "FOLDER").replacing("non-exclusive ", with: "")
            .replacing("prior segment", with: "segment")
        for (pattern, word) in [
            ("command begin [^:]*: .*", "command begin"), (#"\d{8}-\d{6}F"#, "LABEL"),
            (#"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"#, "MOMENT"), (#"[0-9A-F]+/[0-9A-F]+"#, "LSN"), ("-[0-9a-f]{40}", "-SHA1"),
            ("[0-9A-F]{24}", "SEGMENT"), (#"[0-9A-F]{16}"#, "SEGMENTS"), (#"= [\d.]+[KMG]?B"#, "= SIZE"), (#"total = \d+"#, "total = N"),
        ] { text = text.replacingOccurrences(of: pattern, with: word, options: .regularExpression) }
        return text
    }

    /// A life of a stanza; the lines of each command, with the command and how it ended in front.
    private func life(_ tool: Tool) throws -> [String] {
        let bench = try Workbench(by: tool, options: ["expire-auto": "n"])
        let cluster = try bench.cluster()
        var lines: [String] = []
        func tell(_ arguments: String..., stanza: String? = "demo") throws {
            let options = ["--log-level-console=info", "--log-level-stderr=off", "--no-log-timestamp"]
            let outcome = try bench.attempt(options + arguments, stanza: stanza, in: cluster.data)
            lines.append("\(arguments.joined(separator: " ")): \(outcome.status)")
            // Errors and hints are in each program's own words.
            lines += outcome.output.split(separator: "\n").filter { $0.hasPrefix("P") && !$0.contains(" ERROR: ") }.map { words($0, bench) }
        }
        try tell("stanza-create")
        try tell("stanza-create")
        try tell("check")
        try tell("--type=full", "backup")
        try cluster.query("CREATE TABLE item (id int)")
        let segment = try cluster.archiveCurrentSegment()
        try tell("archive-push", "pg_wal/\(segment)")
        try tell("archive-push", "pg_wal/000000010000000000000FFF")
        try tell("archive-get", segment, "pg_wal/RECOVERYXLOG")
        try tell("archive-get", "0000000F00000000000000FF", "pg_wal/RECOVERYXLOG")
        for command in ["stop", "stop", "backup", "start", "start"] { try tell(command) }
        for command in ["stop", "stop", "start", "start"] { try tell(command, stanza: nil) }
        try tell("restore")
        try cluster.stop()
        try tell("restore")
        try tell("--delta", "restore")
        try tell("--delta", "--type=immediate", "--target-action=promote", "restore")
        // The server calls back the program by the name that restored it.
        let settings = try String(contentsOfFile: "\(bench.data)/postgresql.auto.conf", encoding: .utf8)
        #expect(settings.contains("restore_command = '\(tool.path) "), "\(settings)")
        return lines
    }

    @Test func linesAreThePeers() throws {
        let (ours, peers) = (try life(.byPeersName), try life(.peer))
        #expect(peers.contains { $0.hasSuffix("INFO: new backup label = LABEL") }, "\(peers)")
        let difference = ours.difference(from: peers)
        #expect(difference.isEmpty, "\(difference.map { "\($0)" }.joined(separator: "\n"))\n\(ours.joined(separator: "\n"))")
    }
}
