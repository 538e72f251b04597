import EndToEndSupport
import Foundation
import Testing

/// An encrypted repository whose files name no passphrase for what they stand for, as after a repair by hand: nothing is stored in the
/// clear, and nothing is taken for clear.
@Suite(.servers)
struct MissingPassphraseTests {
    private let bench: Workbench
    private let names: [String]
    private let label: String
    private static let archiveInfo = "archive/demo/archive.info"
    private static let backupInfo = "backup/demo/backup.info"

    init() throws {
        (bench, names) = try Segments.workbench(Format(.zst, .aes))
        try bench.run("archive-push", "pg_wal/\(names[0])", in: bench.data)
        try bench.run("--type=full", "--no-online", "backup")
        label = try #require(try bench.labels().first)
    }

    private func openssl(_ content: Data, _ words: String, _ passphrase: String) throws -> Data {
        let folder = try TemporaryFolder()
        try content.write(to: URL(fileURLWithPath: folder.path("in")))
        let command = ["openssl", "enc", "-aes-256-cbc", "-md", "sha1", "-pass", "pass:\(passphrase)", "-in", folder.path("in")]
        try run(command + ["-out", folder.path("out")] + (words.isEmpty ? [] : [words]), asRoot: true)
        return try Data(contentsOf: URL(fileURLWithPath: folder.path("out")))
    }

    /// The passphrase that a file names for what it stands for.
    private func inner(_ file: String) throws -> String {
        let text = String(decoding: try openssl(try bench.files.read(file), "-d", Format.passphrase), as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("cipher-pass=") })
        return String(line.dropFirst("cipher-pass=\"".count).dropLast())
    }

    /// Takes the section out of a file and its copy and signs them again; `body` runs before they are put back.
    private func without(_ file: String, passphrase: String = Format.passphrase, _ body: () throws -> Void) throws {
        let pair = [file, "\(file).copy"]
        let before = try pair.map { try bench.files.read($0) }
        for (name, content) in zip(pair, before) {
            let text = String(decoding: try openssl(content, "-d", passphrase), as: UTF8.self)
            let section = try #require(text.range(of: "\\[cipher\\]\ncipher-pass=\"[^\"]+\"\n\n", options: .regularExpression))
            let stripped = try Forgery.sign(text.replacingCharacters(in: section, with: ""))
            try bench.files.write(name, try openssl(Data(stripped.utf8), "-salt", passphrase))
        }
        try body()
        for (name, content) in zip(pair, before) { try bench.files.write(name, content) }
    }

    private func expect(_ outcome: Outcome, _ status: Int32?, _ file: String) {
        #expect(status.map { outcome.status == $0 } ?? (outcome.status > 1), "\(outcome)")
        #expect(outcome.text.contains(file) && outcome.text.contains("passphrase"), "\(outcome)")
    }

    @Test func ofTheArchive() throws {
        let stored = try bench.files.list("archive/demo")
        try without(Self.archiveInfo) {
            expect(try bench.push(names[1]), nil, Self.archiveInfo)
            expect(try bench.attempt("archive-get", names[0], bench.folder.path("got"), in: bench.data), nil, Self.archiveInfo)
            expect(try bench.attempt("--type=full", "--no-online", "backup"), 95, Self.archiveInfo)
            expect(try bench.attempt("--no-online", "stanza-create"), 95, Self.archiveInfo)
        }
        #expect(try bench.files.list("archive/demo") == stored)
        #expect(try bench.push(names[1]).status == 0)
    }

    @Test func ofBackups() throws {
        let stored = try bench.files.list("backup/demo")
        let restore = ["--pg1-path=\(try bench.folder.makeDirectory("restored"))", "--type=none", "restore"]
        try without(Self.backupInfo) {
            expect(try bench.attempt("--type=full", "--no-online", "backup"), 95, Self.backupInfo)
            expect(try bench.attempt(restore), 95, Self.backupInfo)
            let info = try bench.attempt("info")
            #expect(info.text.contains("passphrase") && info.text.contains("[CryptoError]"), "\(info)")
        }
        let manifest = "backup/demo/\(label)/backup.manifest"
        try without(manifest, passphrase: try inner(Self.backupInfo)) { expect(try bench.attempt(restore), 95, manifest) }
        #expect(try bench.files.list("backup/demo") == stored)
        #expect(try bench.attempt(restore).status == 0)
    }

    /// The pair is one file and its copy: one that is whole is enough.
    @Test func copyIsWhole() throws {
        let copy = try bench.files.read("\(Self.archiveInfo).copy")
        try without(Self.archiveInfo) {
            try bench.files.write("\(Self.archiveInfo).copy", copy)
            let outcome = try bench.push(names[1])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.text.contains("the copy is used"), "\(outcome)")
        }
        #expect(try bench.isSame(names[1], as: try #require(try bench.get(names[1]))))
    }

    /// A passphrase where nothing is encrypted is half a pair too.
    @Test func clearRepository() throws {
        let (bench, names) = try Segments.workbench(Format(.zst))
        for suffix in ["", ".copy"] {
            let file = Self.archiveInfo + suffix
            let text = try Forgery.replace("[db]\n", with: "[cipher]\ncipher-pass=\"x\"\n\n[db]\n", try bench.files.text(file))
            try bench.files.write(file, Data(try Forgery.sign(text).utf8))
        }
        expect(try bench.push(names[0]), nil, Self.archiveInfo)
        #expect(try bench.archived().allSatisfy { !$0.hasPrefix(names[0]) })
    }
}
