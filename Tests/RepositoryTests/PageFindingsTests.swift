import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// What was found in pages while their checksums were switched off is no damage.
struct PageFindingsTests {
    @Test func dropped() throws {
        var manifest = manifest("20261126-101010F_20261126-111111I")
        manifest.references = [label("20261126-101010F"), manifest.label]
        manifest.settings.checksumPage = true
        func add(_ name: String, _ valid: Bool?, _ errors: [ClosedRange<UInt32>] = [], reference: Int? = nil) {
            var file = storedFile("pg_data/base/5/\(name)", size: 8192, stored: 9)
            file.pagesValid = valid
            if !errors.isEmpty { file.pageErrors = errors }
            file.reference = reference
            manifest.files.append(file)
        }
        add("1", false, [5...5, 7...9])
        add("2", true)
        add("3", false)
        add("4", nil)
        // Found by the backup before, which had its own checksums.
        add("5", false, [2...2], reference: 0)
        add("6", true, reference: 0)
        #expect(manifest.badFileCount == 2 && manifest.hasPageErrors)

        manifest.dropPageFindings()
        #expect(!manifest.settings.checksumPage && manifest.badFileCount == 0)
        #expect(manifest.files.map(\.pagesValid) == [nil, nil, nil, nil, false, true])
        #expect(manifest.files.map(\.pageErrors) == [[], [], [], [], [2...2], []])
        let text = String(decoding: try manifest.bytes(try Golden.sha1(), version: "2.60.0"), as: UTF8.self)
        #expect(text.contains("option-checksum-page=false\n"))
        #expect(text.contains("pg_data/base/5/5={\"checksum-page\":false,\"checksum-page-error\":[2],"))
        #expect(!text.contains("pg_data/base/5/1={\"checksum-page\""))
    }
}
