import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Names of files are bytes: each has one text, and each text that is made of a name has one name.
struct FileNameTests {
    @Test(
        arguments: [
            [0x61], [0x63, 0x61, 0x66, 0xE9], [0xC3, 0xA9], [0xC3], [0xA9], [0xFF, 0xFE], [0xED, 0xA0, 0x80], [0xF4, 0x8F, 0xBE, 0x80],
            [0xF4, 0x8F, 0xBF, 0xBF], [0xF4, 0x8F, 0xBD, 0xBF], [0xF4, 0x8F, 0xBE], [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x9F, 0x98, 0x80],
            [0xC0, 0x80],
            [0x80, 0xC3, 0xA9, 0xF4], [0xE2, 0x82], [0xE2, 0x82, 0xAC, 0xE2],
        ] as [[UInt8]])
    func oneTextForEachName(_ name: [UInt8]) {
        let text = FileName.text(name)
        #expect(FileName.bytes(text) == name)
        #expect(FileName.unmapped(FileName.mapped(name)) == name)
        #expect(text.withSystemName { pointer in (0..<name.count).map { UInt8(bitPattern: pointer[$0]) } } == name)
        #expect(FileName.shown(text).utf8.allSatisfy { _ in true } && !FileName.isMapped(FileName.shown(text)))
    }

    /// All names of up to three bytes of a few kinds have different texts.
    @Test func noTwoNamesShareAText() {
        let bytes: [UInt8] = [0x61, 0x80, 0xBE, 0xBF, 0x8F, 0xC3, 0xA9, 0xE9, 0xF4, 0xFF]
        var names: [[UInt8]] = [[]]
        var all: [[UInt8]] = []
        for _ in 0..<4 {
            names = names.flatMap { name in bytes.map { name + [$0] } }
            all += names
        }
        #expect(Set(all.map { Array(FileName.text($0).utf8) }).count == all.count)
        #expect(all.allSatisfy { FileName.bytes(FileName.text($0)) == $0 })
        // The order of manifests is that of the bytes.
        let some = all.enumerated().filter { $0.offset % 37 == 0 }.map(\.element)
        let sorted = some.sorted { $0.lexicographicallyPrecedes($1) }
        #expect(some.map { FileName.text($0) }.sorted(by: bytewiseLess).map { FileName.bytes($0) } == sorted)
    }

    /// What a manifest holds of such names is what the peer writes: the bytes.
    @Test func infoFile() throws {
        let name: [UInt8] = Array("pg_data/caf".utf8) + [0xE9]
        var writer = InfoFileWriter(try Golden.sha1(), version: "2.60.0", format: 5)
        writer.add("target:file", FileName.text(name), .object(["destination": .string(FileName.text([0x2F, 0xFF]))]))
        let bytes = try writer.finish()
        #expect(
            bytes.split(separator: 10).contains {
                $0.elementsEqual(name + Array(#"={"destination":"/"#.utf8) + [0xFF] + Array(#""}"#.utf8))
            })
        var found: [(String, JSON)] = []
        try InfoFile.read(bytes, try Golden.sha1()) { (section, key, value) in if section == "target:file" { found.append((key, value)) } }
        #expect(found.map { FileName.bytes($0.0) } == [name])
        #expect(found.first?.1["destination"]?.string.map { FileName.bytes($0) } == [0x2F, 0xFF])
    }
}
