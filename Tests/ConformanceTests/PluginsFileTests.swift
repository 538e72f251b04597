import BackstopCodecs
import BackstopCore
import BackstopDrivers
import Foundation
import Testing

/// The plugins.conf that is shipped is an allow-list: what it forgets does not exist for whoever installs it.
@Suite struct PluginsFileTests {
    @Test func namesAllThatIsBuiltIn() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../plugins.conf").path
        let file = try PluginsFile(text: String(contentsOfFile: path, encoding: .utf8), path: path)
        var built = Registry()
        registerBuiltinDrivers(in: &built)
        registerBuiltinCodecs(in: &built)
        #expect(Set(file.entries(.storage).map(\.name)) == Set(built.storages.values.filter { $0.variantOf == nil }.map(\.name)))
        #expect(Set(file.entries(.codec).map(\.name)) == Set(built.codecs.keys))
        #expect(Set(file.entries(.cipher).map(\.name)) == Set(built.ciphers.keys))
        #expect(Set(file.entries(.checksum).map(\.name)) == Set(built.checksums.keys))
    }
}
