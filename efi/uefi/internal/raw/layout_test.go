package raw

import (
	"reflect"
	"testing"
)

// TestLayouts holds the offsets and sizes that the specification's C declarations
// have on a 64-bit machine. They are written out by hand: deriving them from the
// structs would test nothing.
func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		record  any
		size    uintptr
		offsets map[string]uintptr
	}{
		{TableHeader{}, 24, map[string]uintptr{"Signature": 0, "Revision": 8, "HeaderSize": 12, "CRC32": 16, "Reserved": 20}},
		{SystemTable{}, 120, map[string]uintptr{
			"Hdr": 0, "FirmwareVendor": 24, "FirmwareRevision": 32, "ConsoleInHandle": 40, "ConIn": 48, "ConsoleOutHandle": 56,
			"ConOut": 64, "StandardErrorHandle": 72, "StdErr": 80, "RuntimeServices": 88, "BootServices": 96,
			"NumberOfTableEntries": 104, "ConfigurationTable": 112,
		}},
		{ConfigurationTable{}, 24, map[string]uintptr{"VendorGUID": 0, "VendorTable": 16}},
		{BootServices{}, 376, map[string]uintptr{
			"Hdr": 0, "RaiseTPL": 24, "RestoreTPL": 32, "AllocatePages": 40, "FreePages": 48, "GetMemoryMap": 56,
			"AllocatePool": 64, "FreePool": 72, "CreateEvent": 80, "SetTimer": 88, "WaitForEvent": 96, "SignalEvent": 104,
			"CloseEvent": 112, "CheckEvent": 120, "InstallProtocolInterface": 128, "ReinstallProtocolInterface": 136,
			"UninstallProtocolInterface": 144, "HandleProtocol": 152, "Reserved": 160, "RegisterProtocolNotify": 168,
			"LocateHandle": 176, "LocateDevicePath": 184, "InstallConfigurationTable": 192, "LoadImage": 200,
			"StartImage": 208, "Exit": 216, "UnloadImage": 224, "ExitBootServices": 232, "GetNextMonotonicCount": 240,
			"Stall": 248, "SetWatchdogTimer": 256, "ConnectController": 264, "DisconnectController": 272,
			"OpenProtocol": 280, "CloseProtocol": 288, "OpenProtocolInformation": 296, "ProtocolsPerHandle": 304,
			"LocateHandleBuffer": 312, "LocateProtocol": 320, "InstallMultipleProtocolInterfaces": 328,
			"UninstallMultipleProtocolInterfaces": 336, "CalculateCrc32": 344, "CopyMem": 352, "SetMem": 360, "CreateEventEx": 368,
		}},
		{RuntimeServices{}, 136, map[string]uintptr{
			"Hdr": 0, "GetTime": 24, "SetTime": 32, "GetWakeupTime": 40, "SetWakeupTime": 48, "SetVirtualAddressMap": 56,
			"ConvertPointer": 64, "GetVariable": 72, "GetNextVariableName": 80, "SetVariable": 88,
			"GetNextHighMonotonicCount": 96, "ResetSystem": 104, "UpdateCapsule": 112, "QueryCapsuleCapabilities": 120,
			"QueryVariableInfo": 128,
		}},
		{MemoryDescriptor{}, 40, map[string]uintptr{"Type": 0, "PhysicalStart": 8, "VirtualStart": 16, "NumberOfPages": 24, "Attribute": 32}},
		{Time{}, 16, map[string]uintptr{
			"Year": 0, "Month": 2, "Day": 3, "Hour": 4, "Minute": 5, "Second": 6, "Nanosecond": 8, "TimeZone": 12, "Daylight": 14,
		}},
		{SimpleTextInputProtocol{}, 24, map[string]uintptr{"Reset": 0, "ReadKeyStroke": 8, "WaitForKey": 16}},
		{InputKey{}, 4, map[string]uintptr{"ScanCode": 0, "UnicodeChar": 2}},
		{SimpleTextOutputProtocol{}, 80, map[string]uintptr{
			"Reset": 0, "OutputString": 8, "TestString": 16, "QueryMode": 24, "SetMode": 32, "SetAttribute": 40,
			"ClearScreen": 48, "SetCursorPosition": 56, "EnableCursor": 64, "Mode": 72,
		}},
		{SimpleTextOutputMode{}, 24, map[string]uintptr{
			"MaxMode": 0, "Mode": 4, "Attribute": 8, "CursorColumn": 12, "CursorRow": 16, "CursorVisible": 20,
		}},
		{GraphicsOutputProtocol{}, 32, map[string]uintptr{"QueryMode": 0, "SetMode": 8, "Blt": 16, "Mode": 24}},
		{GraphicsOutputProtocolMode{}, 40, map[string]uintptr{
			"MaxMode": 0, "Mode": 4, "Info": 8, "SizeOfInfo": 16, "FrameBufferBase": 24, "FrameBufferSize": 32,
		}},
		{GraphicsOutputModeInformation{}, 36, map[string]uintptr{
			"Version": 0, "HorizontalResolution": 4, "VerticalResolution": 8, "PixelFormat": 12, "PixelInformation": 16, "PixelsPerScanLine": 32,
		}},
		{SimpleFileSystemProtocol{}, 16, map[string]uintptr{"Revision": 0, "OpenVolume": 8}},
		{FileProtocol{}, 88, map[string]uintptr{
			"Revision": 0, "Open": 8, "Close": 16, "Delete": 24, "Read": 32, "Write": 40, "GetPosition": 48,
			"SetPosition": 56, "GetInfo": 64, "SetInfo": 72, "Flush": 80,
		}},
		{FileInfo{}, 80, map[string]uintptr{
			"Size": 0, "FileSize": 8, "PhysicalSize": 16, "CreateTime": 24, "LastAccessTime": 40, "ModificationTime": 56, "Attribute": 72,
		}},
		{FileSystemInfo{}, 40, map[string]uintptr{
			"Size": 0, "ReadOnly": 8, "VolumeSize": 16, "FreeSpace": 24, "BlockSize": 32, "VolumeLabel": 36,
		}},
		{BlockIOProtocol{}, 48, map[string]uintptr{
			"Revision": 0, "Media": 8, "Reset": 16, "ReadBlocks": 24, "WriteBlocks": 32, "FlushBlocks": 40,
		}},
		{BlockIOMedia{}, 32, map[string]uintptr{
			"MediaID": 0, "RemovableMedia": 4, "MediaPresent": 5, "LogicalPartition": 6, "ReadOnly": 7, "WriteCaching": 8,
			"BlockSize": 12, "IoAlign": 16, "LastBlock": 24,
		}},
		{LoadedImageProtocol{}, 96, map[string]uintptr{
			"Revision": 0, "ParentHandle": 8, "SystemTable": 16, "DeviceHandle": 24, "FilePath": 32, "Reserved": 40,
			"LoadOptionsSize": 48, "LoadOptions": 56, "ImageBase": 64, "ImageSize": 72, "ImageCodeType": 80, "ImageDataType": 84, "Unload": 88,
		}},
		{LoadFile2Protocol{}, 24, map[string]uintptr{"LoadFile": 0, "Data": 8, "Size": 16}},
		{RNGProtocol{}, 16, map[string]uintptr{"GetInfo": 0, "GetRNG": 8}},
		{PCIIOProtocol{}, 160, map[string]uintptr{
			"PollMem": 0, "PollIo": 8, "MemRead": 16, "MemWrite": 24, "IoRead": 32, "IoWrite": 40, "PciRead": 48, "PciWrite": 56,
			"CopyMem": 64, "Map": 72, "Unmap": 80, "AllocateBuffer": 88, "FreeBuffer": 96, "Flush": 104, "GetLocation": 112,
			"Attributes": 120, "GetBarAttributes": 128, "SetBarAttributes": 136, "RomSize": 144, "RomImage": 152,
		}},
		{PCIRootBridgeIOProtocol{}, 72, map[string]uintptr{
			"ParentHandle": 0, "PollMem": 8, "PollIo": 16, "MemRead": 24, "MemWrite": 32, "IoRead": 40, "IoWrite": 48, "PciRead": 56, "PciWrite": 64,
		}},
		{CPUIO2Protocol{}, 32, map[string]uintptr{"MemRead": 0, "MemWrite": 8, "IoRead": 16, "IoWrite": 24}},
		{PartitionInfoProtocol{}, 144, map[string]uintptr{"Revision": 0, "Type": 4, "System": 8, "Info": 16}},
		{GPTPartitionEntry{}, 128, map[string]uintptr{
			"PartitionTypeGUID": 0, "UniquePartitionGUID": 16, "StartingLBA": 32, "EndingLBA": 40, "Attributes": 48, "PartitionName": 56,
		}},
	} {
		typ := reflect.TypeOf(c.record)
		if typ.Size() != c.size {
			t.Errorf("%s has %d bytes, want %d", typ.Name(), typ.Size(), c.size)
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			if want, ok := c.offsets[f.Name]; f.Name != "_" && (!ok || f.Offset != want) {
				t.Errorf("%s.%s is at %d, want %d", typ.Name(), f.Name, f.Offset, want)
			}
		}
		if named := namedFields(typ); named != len(c.offsets) {
			t.Errorf("%s has %d fields, the table %d", typ.Name(), named, len(c.offsets))
		}
	}
}

func namedFields(typ reflect.Type) int {
	n := 0
	for i := range typ.NumField() {
		if typ.Field(i).Name != "_" {
			n++
		}
	}
	return n
}

func TestEncodeDecode(t *testing.T) {
	r := GPTPartitionEntry{StartingLBA: 2048, EndingLBA: 821247, Attributes: 1 << 63}
	b := Encode(&r)
	if got, ok := Decode[GPTPartitionEntry](append(b, 1, 2, 3)); !ok || got != r {
		t.Errorf("decoded %+v, %v; want %+v", got, ok, r)
	}
	if _, ok := Decode[GPTPartitionEntry](b[:len(b)-1]); ok {
		t.Error("decoded a record that is a byte too short")
	}
}

func TestViewsAreTheMemory(t *testing.T) {
	words := make([]uint32, 4)
	addr := Address(Bytes(addressOf(words), 16))
	*At[uint32](addr + 4) = 0x01020304
	Slice[uint32](addr, 4)[3] = 7
	if words[1] != 0x01020304 || words[3] != 7 {
		t.Errorf("memory is %v", words)
	}
	if Slice[uint32](addr, 0) != nil {
		t.Error("an empty view is not nil")
	}
}
