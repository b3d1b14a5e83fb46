import { MemoryStorage } from '../../../apiserver/storage/memory.ts';
import { storageSuite } from '../../suites/storage.ts';

storageSuite('memory', async () => new MemoryStorage());
