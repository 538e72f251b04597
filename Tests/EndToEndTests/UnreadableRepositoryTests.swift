import EndToEndSupport
import Foundation
import Testing

/// `info` tells what is wrong with a repository, and all it knows of the others.
@Suite(.servers)
struct UnreadableRepositoryTests {
    @Test func withoutStanza() throws {
        let bench = try GoldenTiny.unpack("tiny-none")
        try run(["chmod", "000", bench.repository])
        let text = try bench.attempt("info", stanza: nil)
        #expect(text.status == 0, "\(text)")
        #expect(text.output.contains("stanza: [invalid]\n    status: error (other)\n"), "\(text)")
        #expect(text.output.contains(bench.repository), "\(text)")
        let json = try bench.attempt("--output=json", "info", stanza: nil)
        #expect(json.status == 0, "\(json)")
        let stanzas = try JSONDecoder().decode([StanzaInfo].self, from: Data(json.output.utf8))
        #expect(stanzas.map(\.name) == ["[invalid]"])
        #expect(stanzas.first?.status.code == 99)
        try run(["chmod", "750", bench.repository])
        #expect(try bench.run("info").output.contains("status: ok"))
    }

    @Test func besideAGoodOne() throws {
        let bench = try GoldenTiny.unpack("tiny-none")
        let second = bench.folder.path("second")
        try run(["cp", "-a", bench.repository, second])
        try bench.configure(["repo2-path": second])
        try run(["chmod", "000", bench.repository])
        for stanza in ["demo", nil] {
            let text = try bench.attempt("info", stanza: stanza)
            #expect(text.status == 0, "\(text)")
            #expect(text.output.contains("stanza: demo\n    status: mixed\n"), "\(text)")
            #expect(text.output.contains("repo1: error (other)") && text.output.contains("repo2: ok"), "\(text)")
            #expect(text.output.contains("full backup: "), "\(text)")
            #expect(!text.output.contains("[invalid]"), "\(text)")
        }
        try run(["chmod", "750", bench.repository])
    }
}
