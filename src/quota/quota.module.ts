import { Module } from '@nestjs/common';
import { QuotaService } from './quota.service.js';

/** Limits: reservation before dispatch, settlement after. */
@Module({ providers: [QuotaService], exports: [QuotaService] })
export class QuotaModule {}
